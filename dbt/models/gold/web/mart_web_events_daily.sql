{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='event_date',
    indexes=[],
    pre_hook="{{ open_build_mark('int_web_events') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

events as (

    select *
    from {{ periods_after(
        build_mark('int_web_events'), 'int_web_events', rows=ref('int_web_events'), day='event_date', period='event_date'
    ) }}

)

select
    event_date,
    nullif(count(event_id), 0) as events,
    count(distinct email) as active_users,
    count(distinct nullif(company, 'unknown')) as active_companies,
    count(distinct nullif(country, 'Unknown')) as active_countries,
    count(case when not is_valid_ip then 1 end) as invalid_ips,
    count(case when not is_known_action then 1 end) as unknown_actions
from events
group by event_date
