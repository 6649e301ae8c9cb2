-- Objects that were withdrawn, and those that lie on the landing no more.

alter table ops.objects
    add column withdrawn_sha256 bytea,
    add column gone_at timestamptz;
comment on column ops.objects.withdrawn_sha256 is 'The content that was withdrawn under this key: it stays withdrawn while these are its bytes.';
comment on column ops.objects.gone_at is 'When a listing first missed the object. Not kept up for what is in force, whose rows stay anyway.';

-- Which period is the newest; which object in force has these bytes (its ETag and size), or as many.
create index objects_by_period on ops.objects (dataset, period) where state = 'in_force';
create index objects_by_version on ops.objects (dataset, size_bytes, etag) where state in ('in_force', 'withdrawn');
create index objects_not_in_force on ops.objects (dataset) where state <> 'in_force';
