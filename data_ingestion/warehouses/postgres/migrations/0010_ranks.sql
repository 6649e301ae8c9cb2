-- Ranks as one text, in the order of its bytes: by period, then delivery time, then object key.

alter table ops.objects add column rank text collate "C";
comment on column ops.objects.rank is 'How the object ranks among those with a claim to the same row: by period, then delivery time, then object key.';
update ops.objects
set rank = period || ' ' || to_char(delivered_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || ' ' || object_key
where delivered_at is not null;

alter table ops.drops add column rank text collate "C";
comment on column ops.drops.rank is 'The greatest rank of the objects that hold the drop: of two drops with the same row, the greater one''s is in raw.';
update ops.drops
set rank = rank_period || ' ' || to_char(rank_delivered_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')
    || ' ' || rank_object_key;
alter table ops.drops alter column rank set not null;

-- Which drop in force has these bytes, of whichever dataset.
create index drops_by_content on ops.drops (sha256) where ended_at is null;
