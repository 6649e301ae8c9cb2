-- Databases, roles and schemas of Goldworks. Safe to run again: what exists stays, passwords are set anew.
--
--   psql -f init_db.sql                                              the warehouse `warehouse`: loader, transformer, reporter
--   psql -v warehouse=warehouse_dev -v prefix=dev_ -f init_db.sql    another: dev_loader, dev_transformer, dev_reporter
--
-- One warehouse a call, and with every call the metadata databases of Airflow and Superset. Passwords come from the
-- environment, for everyone can see a process' arguments: LOADER_PASSWORD, TRANSFORMER_PASSWORD, REPORTER_PASSWORD (of
-- dev_loader: DEV_LOADER_PASSWORD), AIRFLOW_DB_PASSWORD, SUPERSET_DB_PASSWORD.
-- Tables are not made here: the loader migrates `raw` and `ops`, dbt builds `bronze`, `silver` and `gold`.

\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;

\if :{?warehouse} \else \set warehouse warehouse \endif
\if :{?prefix} \else \set prefix '' \endif
select
    :'prefix' || 'loader' as loader,
    :'prefix' || 'transformer' as transformer,
    :'prefix' || 'reporter' as reporter,
    upper(:'prefix') || 'LOADER_PASSWORD' as loader_variable,
    upper(:'prefix') || 'TRANSFORMER_PASSWORD' as transformer_variable,
    upper(:'prefix') || 'REPORTER_PASSWORD' as reporter_variable
\gset
\getenv loader_password :loader_variable
\getenv transformer_password :transformer_variable
\getenv reporter_password :reporter_variable
\getenv airflow_password AIRFLOW_DB_PASSWORD
\getenv superset_password SUPERSET_DB_PASSWORD

-- Who runs this on a managed server may make roles without being superuser: then what they own is made through them.
set createrole_self_grant = 'set, inherit';

-- Roles. `raw_reader` is a group: the loader grants it the raw tables and the few ledger tables that dbt reads. One
-- serves all warehouses, since what it may read is granted in each, and only a warehouse's own roles can connect to it.
select format('create role %I', role) as statement
from unnest(array[:'loader', :'transformer', :'reporter', 'airflow', 'superset', 'raw_reader']) as role
where not exists (select from pg_roles where rolname = role)
\gexec
alter role :"loader" login password :'loader_password';
alter role :"transformer" login password :'transformer_password';
alter role :"reporter" login password :'reporter_password';
alter role airflow login password :'airflow_password';
alter role superset login password :'superset_password';
alter role raw_reader nologin;
grant raw_reader to :"transformer";
-- A raw table whose type changes takes the views on it with it: the loader puts those of dbt back, as dbt's. It has none
-- of dbt's rights by itself, only when it says that it acts for it.
grant :"transformer" to :"loader" with inherit false, set true;

-- Databases: the warehouse, and the metadata of Airflow and of Superset, each closed to everybody else.
select format('create database %I owner %I', name, owner) as statement
from (values (:'warehouse', current_user), ('airflow', 'airflow'), ('superset', 'superset')) as wanted (name, owner)
where not exists (select from pg_database where datname = name)
\gexec
revoke all on database :"warehouse", airflow, superset from public;
grant connect, temporary on database :"warehouse" to :"loader", :"transformer", :"reporter";
grant create on database :"warehouse" to :"transformer"; -- dbt makes a schema a developer

\connect :"warehouse"
set client_min_messages = warning;

revoke all on schema public from public;
select format('create schema %I authorization %I', name, owner) as statement
from (
    values ('raw', :'loader'), ('ops', :'loader'),
        ('bronze', :'transformer'), ('silver', :'transformer'), ('gold', :'transformer')
) as wanted (name, owner)
where not exists (select from pg_namespace where nspname = name)
\gexec
grant usage on schema raw, ops to raw_reader;

-- Dashboards see gold and nothing else, also what dbt builds there later.
grant usage on schema gold to :"reporter";
grant select on all tables in schema gold to :"reporter";
alter default privileges for role :"transformer" in schema gold grant select on tables to :"reporter";

-- The loader profiles what became of raw, all of which it holds anyway.
grant usage on schema bronze, silver, gold to :"loader";
grant select on all tables in schema bronze, silver, gold to :"loader";
alter default privileges for role :"transformer" in schema bronze, silver, gold grant select on tables to :"loader";

-- Every session speaks the same dialect of time.
alter role :"loader" set timezone = 'UTC';
alter role :"transformer" set timezone = 'UTC';
alter role :"reporter" set timezone = 'UTC';
