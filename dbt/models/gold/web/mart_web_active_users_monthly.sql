{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='month_start',
    indexes=[{'columns': ['month_start']}],
    pre_hook="{{ open_build_mark('int_web_events') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

events as (

    select *
    from {{ periods_after(
        build_mark('int_web_events'),
        'int_web_events',
        rows=ref('int_web_events'),
        day='event_date',
        period='month_start',
        grain='month'
    ) }}

)

select
    month_start,
    email,
    company,
    nullif(count(event_id), 0) as events,
    count(distinct event_date) as active_days,
    min(event_date) as first_event_date,
    max(event_date) as last_event_date
from events
group by month_start, email, company
