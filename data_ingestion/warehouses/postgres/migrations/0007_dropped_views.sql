-- Views that a raw table no longer carries since it follows a changed contract: their text is not lost.

create table ops.dropped_views (
    dataset text not null references ops.datasets,
    view_schema text not null,
    view_name text not null,
    owner text not null,
    definition text not null,
    reason text not null,
    dropped_at timestamptz not null default clock_timestamp()
);
comment on table ops.dropped_views is 'One row a view that was dropped because its table changed under it and it did not fit any more, with its text.';
