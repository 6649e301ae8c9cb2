{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='month_start',
    indexes=[{'columns': ['month_start']}],
    pre_hook="{{ open_build_mark('int_web_events', through=['mart_web_active_users_monthly']) }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

users as (

    select *
    from {{ periods_after(
        build_mark('int_web_events'),
        'int_web_events',
        rows=ref('mart_web_active_users_monthly'),
        day='month_start',
        period='month_start',
        grain='month'
    ) }}

)

select
    month_start,
    company,
    cast(sum(events) as bigint) as events,
    count(email) as active_users,
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date
from users
group by month_start, company
