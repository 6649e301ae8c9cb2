-- What a person decides: corrections that are held, and texts that a contract does not know.

alter table ops.loads
    drop constraint loads_state_check,
    add constraint loads_state_check check (state in ('started', 'loaded', 'failed', 'held', 'abandoned'));

create table ops.held (
    object_key text collate "C" primary key references ops.objects,
    dataset text not null references ops.datasets,
    decision text not null check (decision in ('held', 'accepted', 'rejected')),
    etag text not null,
    size_bytes bigint not null,
    sha256 bytea not null,
    fingerprint text not null,
    load_id bigint not null,
    rows_held bigint not null,
    rows_withdrawn bigint not null,
    held_at timestamptz not null default clock_timestamp(),
    decided_at timestamptz
);
comment on table ops.held is 'One row an object whose correction would take away most of its rows: the version that waits for a person, was accepted and not loaded yet, or was rejected.';
comment on column ops.held.rows_held is 'Rows of the version in force.';
comment on column ops.held.rows_withdrawn is 'Those of them that the correction would withdraw.';
create index held_by_dataset on ops.held (dataset);

create table ops.findings (
    finding_id bigint generated always as identity primary key,
    load_id bigint not null,
    dataset text not null references ops.datasets,
    object_key text not null,
    rule text not null,
    column_name text not null,
    shape text not null,
    rows bigint not null,
    rows_read bigint not null,
    message text not null,
    found_at timestamptz not null default clock_timestamp(),
    accepted_at timestamptz,
    closed_at timestamptz
);
comment on table ops.findings is 'One row a column of a load that lost many rows to texts of one shape. Open until the object is loaded again, the contract knows the shape, or a person accepts it.';
comment on column ops.findings.shape is 'The texts'' shape: letters as a, digits as 9, runs as one.';
create index findings_open on ops.findings (object_key) where closed_at is null;
create index findings_accepted on ops.findings (dataset, column_name, shape) where accepted_at is not null;
