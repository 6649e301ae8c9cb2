{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='event_date',
    meta={'counts': 'event_id'},
    indexes=[{'columns': ['event_date']}],
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
    event_id,
    event_date,
    company,
    country,
    uri,
    action,
    tags,
    is_valid_ip,
    is_known_action
from events
