-- The lake: what of the landing is archived as Parquet, and in which files.

create table ops.lake_files (
    file_id bigint generated always as identity primary key,
    dataset text not null references ops.datasets,
    date date not null,
    path text not null unique,
    state text not null check (state in ('writing', 'in_lake', 'replaced', 'deleted')),
    first_load_id bigint not null,
    last_load_id bigint not null,
    drops bigint,
    records bigint,
    size_bytes bigint,
    replaced_by bigint references ops.lake_files,
    began_at timestamptz not null default clock_timestamp(),
    written_at timestamptz
);
comment on table ops.lake_files is 'One row a file of the lake. Written are those in_lake; one that was compacted is replaced, and deleted once it is gone.';
create index lake_files_by_date on ops.lake_files (dataset, date) where state <> 'deleted';

create table ops.lake_drops (
    drop_id bigint not null references ops.drops,
    load_id bigint not null,
    sha256 bytea not null,
    object_key text not null,
    file_id bigint references ops.lake_files,
    records bigint,
    primary key (drop_id, load_id)
);
comment on table ops.lake_drops is 'One row a version of a drop that was to be archived: the file it was written to, none if no object held its bytes any more.';

create table ops.lake_marks (
    dataset text primary key references ops.datasets,
    load_id bigint not null
);
comment on table ops.lake_marks is 'Up to which load a dataset is archived.';

-- What was loaded after a mark.
create index drops_by_load on ops.drops (dataset, load_id);
