-- Functions of Redshift's that the loader, dbt and the models use, on the Postgres behind the stand-in, in a schema of its search path.

create schema if not exists redshift;
grant usage on schema redshift to public;

create or replace function redshift.sha2(value text, bits integer) returns text language sql immutable
return encode(sha256(convert_to(value, 'UTF8')), 'hex');
create or replace function redshift.object(variadic "any") returns json language internal stable as 'json_build_object';
create or replace function redshift.json_as_text(value json) returns text language sql immutable return value::text;

create or replace function redshift.getdate() returns timestamp language sql stable
return date_trunc('second', timezone('UTC', now()));
create or replace function redshift.len(value text) returns integer language sql immutable return length(value);
create or replace function redshift.json_extract_path_text(value text, field text, null_if_invalid boolean)
returns text language sql immutable
return case when value is json then coalesce(json_extract_path_text(value::json, field), '') end;

create or replace function redshift.dateadd(part text, amount bigint, moment timestamp) returns timestamp
language sql immutable return moment + (amount || ' ' || part)::interval;
create or replace function redshift.dateadd(part text, amount bigint, moment date) returns timestamp
language sql immutable return moment + (amount || ' ' || part)::interval;
create or replace function redshift.dateadd(part text, amount bigint, moment timestamptz) returns timestamptz
language sql immutable return timezone('UTC', timezone('UTC', moment) + (amount || ' ' || part)::interval);
create or replace function redshift.datediff(part text, earlier timestamp, later timestamp) returns bigint
language sql immutable return case part
    when 'day' then later::date - earlier::date
    when 'second' then extract(epoch from date_trunc('second', later) - date_trunc('second', earlier))::bigint
end;

-- What dbt's adapter asks of views that are bound to no table: here all are bound.
create or replace function redshift.pg_get_late_binding_view_cols() returns setof record language sql stable
begin atomic select null::name, null::name, null::name, null::varchar, null::integer where false; end;
create or replace view redshift.svv_external_columns as
select
    null::integer as columnnum, null::text as schemaname, null::text as tablename, null::text as columnname,
    null::text as external_type
where false;
grant select on redshift.svv_external_columns to public;
grant execute on all functions in schema redshift to public;
