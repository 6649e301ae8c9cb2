-- Profiles: what was found in each relation, by run.

create table ops.profiles (
    profile_id bigint generated always as identity primary key,
    domain text not null,
    layer text not null,
    relation_schema text not null,
    relation_name text not null,
    mark text not null,
    rows bigint not null,
    sampled_rows bigint,
    seconds double precision not null,
    profiled_at timestamptz not null default clock_timestamp()
);
comment on table ops.profiles is 'One row a relation and time at which it was profiled. While its mark stays the same, so does its data.';
create index profiles_by_relation on ops.profiles (relation_schema, relation_name, profile_id);

create table ops.profile_columns (
    profile_id bigint not null references ops.profiles on delete cascade,
    position integer not null,
    column_name text not null,
    data_type text not null,
    classification text,
    is_masked boolean not null,
    nulls bigint not null,
    distinct_values bigint not null,
    minimum text,
    maximum text,
    top_values jsonb not null default '[]',
    primary key (profile_id, position),
    check (not is_masked or (minimum is null and maximum is null and top_values = '[]'))
);
comment on table ops.profile_columns is 'One row a column of a profile: counts, and of those that are not masked values.';
