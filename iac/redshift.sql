-- What Goldworks needs in a database of Redshift: a user a part, six schemas, and who may do what in them. Run by a superuser,
-- once before the first load and once after it; safe to run again: what is there stays. docs/guides/redshift.md
-- The database itself has to be there, for nothing can be asked before it is made:
--     create database goldworks isolation level snapshot;
-- Users are made without a password: `alter user goldworks_loader password '…'` gives one, or they log in by IAM.

-- Redshift knows `if not exists` of schemas and tables alone, so these ask before they make something.
create or replace procedure public.goldworks_user(name varchar(63)) as $$
begin
    if not exists (select 1 from pg_user where usename = name) then
        execute 'create user ' || quote_ident(name) || ' password disable';
    end if;
    execute 'grant temporary on database ' || quote_ident(current_database()) || ' to ' || quote_ident(name);
end;
$$ language plpgsql;
create or replace procedure public.goldworks_readers() as $$
begin
    if not exists (select 1 from pg_group where groname = 'goldworks_readers') then
        execute 'create group goldworks_readers';
    end if;
end;
$$ language plpgsql;
-- Of the ledger dbt reads what was loaded, and of the quarantine its counts: the texts there may be personal. The loader
-- makes these tables at its first start; until then there is nothing to grant.
create or replace procedure public.goldworks_ledger() as $$
begin
    if exists (select 1 from pg_tables where schemaname = 'ops' and tablename = 'loads') then
        grant select on ops.loads, ops.drops, ops.faults, ops.held, ops.findings, ops.quarantine_reasons
        to goldworks_transformer;
    end if;
end;
$$ language plpgsql;

-- The loader, dbt, and Superset; and the group of all who read gold, Superset among them.
call public.goldworks_user('goldworks_loader');
call public.goldworks_user('goldworks_transformer');
call public.goldworks_user('goldworks_reporter');
call public.goldworks_readers();
alter group goldworks_readers add user goldworks_reporter;

-- Who owns a schema makes tables in it. None of them can make a schema. RAW is a reserved word.
create schema if not exists ops authorization goldworks_loader;
create schema if not exists "raw" authorization goldworks_loader;
create schema if not exists bronze authorization goldworks_transformer;
create schema if not exists silver authorization goldworks_transformer;
create schema if not exists gold authorization goldworks_transformer;
create schema if not exists audit authorization goldworks_transformer; -- for rows that fail a test

-- dbt reads raw, also what the loader makes there later.
grant usage on schema "raw", ops to goldworks_transformer;
grant select on all tables in schema "raw" to goldworks_transformer;
alter default privileges for user goldworks_loader in schema "raw" grant select on tables to goldworks_transformer;
call public.goldworks_ledger();

-- Dashboards read gold and nothing else.
grant usage on schema gold to group goldworks_readers;
grant select on all tables in schema gold to group goldworks_readers;
alter default privileges for user goldworks_transformer in schema gold grant select on tables to group goldworks_readers;

-- The loader profiles what became of raw, all of which it holds anyway.
grant usage on schema bronze, silver, gold to goldworks_loader;
grant select on all tables in schema bronze, silver, gold to goldworks_loader;
alter default privileges for user goldworks_transformer in schema bronze, silver, gold
grant select on tables to goldworks_loader;

-- COPY reads the staged files by the cluster's default role; of another one, write its ARN in quotes. This matters where
-- `revoke assumerole on all from public for all` was said. Nothing is unloaded, so nobody may.
grant assumerole on default to goldworks_loader for copy;

drop procedure public.goldworks_user(varchar);
drop procedure public.goldworks_readers();
drop procedure public.goldworks_ledger();
