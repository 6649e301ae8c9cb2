-- What Goldworks needs on Snowflake: a database, a warehouse that stops by itself, a role a part, a user of the loader.
-- Run by SECURITYADMIN's and SYSADMIN's holder, ACCOUNTADMIN; safe to run again: what is there stays. docs/guides/snowflake.md

use role accountadmin;

-- Costs: the smallest size, stopped after a minute without a query; the monitor stops it at the credits of a month.
create warehouse if not exists goldworks
    warehouse_size = xsmall auto_suspend = 60 auto_resume = true initially_suspended = true
    statement_timeout_in_seconds = 7200;
create resource monitor if not exists goldworks with credit_quota = 50
    triggers on 80 percent do notify on 100 percent do suspend;
alter warehouse goldworks set resource_monitor = goldworks;

create database if not exists goldworks data_retention_time_in_days = 1;
create schema if not exists goldworks.ops;
create schema if not exists goldworks.raw;

create role if not exists goldworks_loader;
create role if not exists goldworks_reader;
grant role goldworks_loader to role sysadmin;
grant role goldworks_reader to role sysadmin;

-- The loader makes tables in two schemas and owns what it makes. It can make no schema and grant nothing to others.
grant usage on warehouse goldworks to role goldworks_loader;
grant usage on database goldworks to role goldworks_loader;
grant usage, create table, create view, create stage on schema goldworks.ops to role goldworks_loader;
grant usage, create table on schema goldworks.raw to role goldworks_loader;

-- Whoever builds models reads raw, and of the ledger what was loaded; not quarantine, whose texts may be personal.
grant usage on warehouse goldworks to role goldworks_reader;
grant usage on database goldworks to role goldworks_reader;
grant usage on schema goldworks.raw to role goldworks_reader;
grant select on all tables in schema goldworks.raw to role goldworks_reader;
grant select on future tables in schema goldworks.raw to role goldworks_reader;

-- dbt reads raw as that role does, and owns what it makes of it in four schemas of its own. What it reads of the ledger is
-- granted after the first load: docs/guides/snowflake.md.
create schema if not exists goldworks.bronze;
create schema if not exists goldworks.silver;
create schema if not exists goldworks.gold;
create schema if not exists goldworks.audit; -- for rows that fail a test
create role if not exists goldworks_transformer;
grant role goldworks_transformer to role sysadmin;
grant role goldworks_reader to role goldworks_transformer;
grant usage on schema goldworks.ops to role goldworks_transformer;
grant usage, create table, create view on schema goldworks.bronze to role goldworks_transformer;
grant usage, create table, create view on schema goldworks.silver to role goldworks_transformer;
grant usage, create table, create view on schema goldworks.gold to role goldworks_transformer;
grant usage, create table, create view on schema goldworks.audit to role goldworks_transformer;
create user if not exists goldworks_transformer
    type = service default_role = goldworks_transformer default_warehouse = goldworks;
grant role goldworks_transformer to user goldworks_transformer;

-- Dashboards read gold and nothing else, also what dbt makes there later.
create role if not exists goldworks_reporter;
grant role goldworks_reporter to role sysadmin;
grant usage on warehouse goldworks to role goldworks_reporter;
grant usage on database goldworks to role goldworks_reporter;
grant usage on schema goldworks.gold to role goldworks_reporter;
grant select on all tables in schema goldworks.gold to role goldworks_reporter;
grant select on future tables in schema goldworks.gold to role goldworks_reporter;
grant select on all views in schema goldworks.gold to role goldworks_reporter;
grant select on future views in schema goldworks.gold to role goldworks_reporter;
create user if not exists goldworks_reporter
    type = service default_role = goldworks_reporter default_warehouse = goldworks;
grant role goldworks_reporter to user goldworks_reporter;

-- A user that can log in by its key alone: `alter user goldworks_loader set rsa_public_key = '…'` gives it one.
create user if not exists goldworks_loader
    type = service default_role = goldworks_loader default_warehouse = goldworks;
grant role goldworks_loader to user goldworks_loader;
