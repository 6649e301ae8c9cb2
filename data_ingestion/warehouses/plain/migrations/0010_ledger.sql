-- The whole ledger at this step, in the types of contracts; Postgres alone was there before it. Ids are counted in a table,
-- and there are no constraints beyond what the loader itself checks.

create table ops.counters (name text not null, last bigint not null);
insert into ops.counters values
    ('loads', 0), ('drops', 0), ('attempts', 0), ('quarantine_id', 0), ('finding_id', 0), ('lake_files', 0),
    ('profiles', 0);

create table ops.datasets (
    dataset text not null, raw_rows bigint not null,
    raw_key text -- the key that the raw table was made with
);

create table ops.drops (
    drop_id bigint not null, dataset text not null, sha256 blob not null, size_bytes bigint not null,
    fingerprint text not null, load_id bigint not null, rank text not null, rank_period text not null,
    rank_delivered_at timestamptz not null, rank_object_key text not null, ended_at timestamptz
);

create table ops.objects (
    object_key text not null, dataset text, period text not null, state text not null, etag text not null,
    size_bytes bigint not null, last_modified timestamptz not null, delivered_at timestamptz, drop_id bigint,
    rank text, first_seen_at timestamptz, withdrawn_sha256 blob, gone_at timestamptz
);

create table ops.loads (
    attempt_id bigint not null, load_id bigint, dataset text not null, object_key text not null, drop_id bigint,
    kind text not null, state text not null, started_at timestamptz not null, ended_at timestamptz, sha256 blob,
    size_bytes bigint, fingerprint text, rows_read bigint, quarantined bigint, repeated bigint, superseded bigint,
    inserted bigint, updated bigint, unchanged bigint, restored bigint, withdrawn bigint, raw_before bigint,
    raw_after bigint, plan text, plan_reason text, seconds double precision, error text
);

create table ops.quarantine (
    quarantine_id bigint not null, load_id bigint not null, dataset text not null, object_key text not null,
    line bigint not null, column_name text, reason text not null, detail text not null, raw_text text not null,
    raw_bytes blob, closed_by_load_id bigint, closed_at timestamptz
);

create table ops.conflicts (
    load_id bigint not null, dataset text not null, object_key text not null, line bigint not null,
    kept_line bigint not null, content text not null
);

create table ops.builds (
    domain text not null, dataset text not null, load_id bigint not null, built_at timestamptz not null
);

create table ops.held (
    object_key text not null, dataset text not null, decision text not null, etag text not null,
    size_bytes bigint not null, sha256 blob not null, fingerprint text not null, load_id bigint not null,
    rows_held bigint not null, rows_withdrawn bigint not null, held_at timestamptz not null, decided_at timestamptz
);

create table ops.findings (
    finding_id bigint not null, load_id bigint not null, dataset text not null, object_key text not null,
    rule text not null, column_name text not null, shape text not null, rows bigint not null,
    rows_read bigint not null, message text not null, found_at timestamptz, accepted_at timestamptz,
    closed_at timestamptz
);

create table ops.faults (
    dataset text not null, step text not null, domain text not null, fault text not null, since timestamptz not null
);

create table ops.lake_files (
    file_id bigint not null, dataset text not null, date date not null, path text not null, state text not null,
    first_load_id bigint not null, last_load_id bigint not null, drops bigint, records bigint, size_bytes bigint,
    replaced_by bigint, began_at timestamptz not null, written_at timestamptz
);

create table ops.lake_drops (
    drop_id bigint not null, load_id bigint not null, sha256 blob not null, object_key text not null, file_id bigint,
    records bigint
);

create table ops.lake_marks (dataset text not null, load_id bigint not null);

create table ops.profiles (
    profile_id bigint not null, domain text not null, layer text not null, relation_schema text not null,
    relation_name text not null, mark text not null, rows bigint not null, sampled_rows bigint,
    seconds double precision not null, profiled_at timestamptz not null
);

create table ops.profile_columns (
    profile_id bigint not null, position integer not null, column_name text not null, data_type text not null,
    classification text, is_masked boolean not null, nulls bigint not null, distinct_values bigint not null,
    minimum text, maximum text, top_values text not null
);

create view ops.quarantine_reasons as
select dataset, column_name, reason, count(*) as open_rows, max(load_id) as newest_load_id
from ops.quarantine
where closed_by_load_id is null
group by dataset, column_name, reason;
