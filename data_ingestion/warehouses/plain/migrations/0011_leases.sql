-- Attempts that are alive by a lease, and what a writer locks, where sessions of other machines can't be seen.

alter table ops.loads add column lease_until timestamptz;

create table if not exists ops.writer (one integer);
insert into ops.writer values (0);
