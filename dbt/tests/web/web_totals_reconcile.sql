{{ config(tags=['web']) }}
-- What landed is what is shown: every mart counts the events that silver has, and as many that are not in order.

with

landed as (

    select
        count(*) as events,
        count(case when not is_valid_ip then 1 end) as invalid_ips,
        count(case when not is_known_action then 1 end) as unknown_actions
    from {{ ref('int_web_events') }}

),

facts as (

    select
        'fct_web_event' as relation,
        count(*) as events,
        count(case when not is_valid_ip then 1 end) as invalid_ips,
        count(case when not is_known_action then 1 end) as unknown_actions
    from {{ ref('fct_web_event') }}

),

days as (

    select
        'mart_web_events_daily' as relation,
        sum(events) as events,
        sum(invalid_ips) as invalid_ips,
        sum(unknown_actions) as unknown_actions
    from {{ ref('mart_web_events_daily') }}

),

months as (

    select
        'mart_web_events_monthly' as relation,
        sum(events) as events,
        sum(invalid_ips) as invalid_ips,
        sum(unknown_actions) as unknown_actions
    from {{ ref('mart_web_events_monthly') }}

),

years as (

    select
        'mart_web_events_yearly' as relation,
        sum(events) as events,
        sum(invalid_ips) as invalid_ips,
        sum(unknown_actions) as unknown_actions
    from {{ ref('mart_web_events_yearly') }}

),

users as (

    select
        'mart_web_active_users' as relation,
        sum(events) as events,
        cast(null as bigint) as invalid_ips,
        cast(null as bigint) as unknown_actions
    from {{ ref('mart_web_active_users') }}

),

companies as (

    select
        'mart_web_active_companies' as relation,
        sum(events) as events,
        cast(null as bigint) as invalid_ips,
        cast(null as bigint) as unknown_actions
    from {{ ref('mart_web_active_companies') }}

),

countries as (

    select
        'dim_web_country' as relation,
        sum(events) as events,
        cast(null as bigint) as invalid_ips,
        cast(null as bigint) as unknown_actions
    from {{ ref('dim_web_country') }}

),

shown as (

    select * from facts
    union all
    select * from days
    union all
    select * from months
    union all
    select * from years
    union all
    select * from users
    union all
    select * from companies
    union all
    select * from countries

)

select shown.*
from shown
cross join landed
where
    coalesce(shown.events, 0) <> landed.events
    or shown.invalid_ips <> landed.invalid_ips
    or shown.unknown_actions <> landed.unknown_actions
