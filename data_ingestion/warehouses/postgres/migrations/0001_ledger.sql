-- The ledger: objects, drops and loads; the quarantine; what the models have been built from.

create table ops.datasets (
    dataset text primary key,
    raw_rows bigint not null default 0
);
comment on table ops.datasets is 'One row a dataset: how many rows raw holds by the ledger''s count.';

create sequence ops.load_ids;
comment on sequence ops.load_ids is 'Drawn under the dataset''s lock, so that a dataset''s loads commit in the order of their ids.';

create table ops.drops (
    drop_id bigint generated always as identity primary key,
    dataset text not null references ops.datasets,
    sha256 bytea not null,
    size_bytes bigint not null,
    fingerprint text not null,
    load_id bigint not null,
    rank_period text collate "C" not null,
    rank_delivered_at timestamptz not null,
    rank_object_key text collate "C" not null,
    ended_at timestamptz
);
comment on table ops.drops is 'One row a content that was brought in; ended when no object holds it any more. The rank decides which of two drops is the newer.';
create unique index drops_in_force on ops.drops (dataset, sha256) where ended_at is null;

create table ops.objects (
    object_key text collate "C" primary key,
    dataset text references ops.datasets,
    period text collate "C" not null default '',
    state text not null check (state in ('seen', 'in_force', 'withdrawn', 'unresolved')),
    etag text not null,
    size_bytes bigint not null,
    last_modified timestamptz not null,
    delivered_at timestamptz,
    drop_id bigint references ops.drops,
    first_seen_at timestamptz not null default now(),
    check ((state = 'in_force') = (drop_id is not null)),
    check ((state = 'unresolved') = (dataset is null))
);
comment on table ops.objects is 'One row an object of the landing: the version in force, and the drop it holds.';
create index objects_by_drop on ops.objects (drop_id);
create index objects_by_dataset on ops.objects (dataset);

create table ops.loads (
    attempt_id bigint generated always as identity primary key,
    load_id bigint unique,
    dataset text not null references ops.datasets,
    object_key text not null,
    drop_id bigint,
    kind text not null,
    state text not null check (state in ('started', 'loaded', 'failed', 'abandoned')),
    started_at timestamptz not null default clock_timestamp(),
    ended_at timestamptz,
    sha256 bytea,
    size_bytes bigint,
    fingerprint text,
    rows_read bigint,
    quarantined bigint,
    repeated bigint,
    superseded bigint,
    inserted bigint,
    updated bigint,
    unchanged bigint,
    restored bigint,
    withdrawn bigint,
    raw_before bigint,
    raw_after bigint,
    plan text,
    plan_reason text,
    seconds double precision,
    error text,
    constraint rows_add_up check (
        state <> 'loaded'
        or rows_read = quarantined + repeated + superseded + inserted + updated + unchanged
        and raw_after = raw_before + inserted + restored - withdrawn
    )
);
comment on table ops.loads is 'One row an attempt to bring one drop in. Its load id is drawn when it ends; the laws of conservation are its constraint.';
create index loads_by_dataset on ops.loads (dataset, load_id);
create index loads_started on ops.loads (attempt_id) where state = 'started';

create table ops.quarantine (
    quarantine_id bigint generated always as identity primary key,
    load_id bigint not null,
    dataset text not null references ops.datasets,
    object_key text not null,
    line bigint not null,
    column_name text,
    reason text not null,
    detail text not null,
    raw_text text not null,
    raw_bytes bytea,
    closed_by_load_id bigint,
    closed_at timestamptz
);
comment on table ops.quarantine is 'One row a row that broke the contract. Open until its object is loaded again.';
comment on column ops.quarantine.raw_bytes is 'The record''s bytes, where they are no UTF-8 text; raw_text then shows them escaped.';
create index quarantine_open on ops.quarantine (dataset, object_key) where closed_by_load_id is null;
create index quarantine_by_load on ops.quarantine (load_id);

create table ops.conflicts (
    load_id bigint not null,
    dataset text not null references ops.datasets,
    object_key text not null,
    line bigint not null,
    kept_line bigint not null,
    content jsonb not null
);
comment on table ops.conflicts is 'Rows whose key a later row of the same drop repeats with other content: the later row is in raw, this is what it replaced.';
create index conflicts_by_load on ops.conflicts (load_id);

create table ops.builds (
    domain text not null,
    dataset text not null references ops.datasets,
    load_id bigint not null,
    built_at timestamptz not null default now(),
    primary key (domain, dataset)
);
comment on table ops.builds is 'Up to which load of a dataset a domain''s models have been built.';
