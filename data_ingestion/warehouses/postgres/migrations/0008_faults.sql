-- Faults: what keeps a dataset out of runs while the others go on.

create table ops.faults (
    dataset text not null,
    step text not null,
    domain text not null,
    fault text not null,
    since timestamptz not null default clock_timestamp(),
    primary key (dataset, step),
    check (step in ('contract', 'discover', 'load'))
);
comment on table ops.faults is 'One row a dataset that runs leave out, and the step that can''t be taken for it: its contract can''t be read (`contract`), its files can''t be planned (`discover`), its raw table does not follow (`load`). Gone once it is mended.';
