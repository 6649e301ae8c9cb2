-- The operational database of an invented shop, which the domain `orders` captures its changes from. For the server that
-- comes with the platform; a source of your own is elsewhere, and needs the rights of `capture` alone. Safe to run again.
--
-- Passwords come from the environment: SHOP_PASSWORD of the owner, CAPTURE_PASSWORD of whoever reads the changes.

\set ON_ERROR_STOP on
\set QUIET on
set client_min_messages = warning;
\getenv shop_password SHOP_PASSWORD
\getenv capture_password CAPTURE_PASSWORD

select format('create role %I', role) as statement
from unnest(array['shop', 'capture']) as role
where not exists (select from pg_roles where rolname = role)
\gexec
alter role shop login password :'shop_password';
alter role capture login replication password :'capture_password'; -- may make slots and read what they keep

select 'create database shop owner shop' as statement
where not exists (select from pg_database where datname = 'shop')
\gexec
revoke all on database shop from public;
grant connect on database shop to capture;

\connect shop
set client_min_messages = warning;
grant usage on schema public to capture;
-- A snapshot reads the tables themselves, those that the owner makes later, too.
alter default privileges for role shop in schema public grant select on tables to capture;
alter role shop set timezone = 'UTC';
alter role capture set timezone = 'UTC';
