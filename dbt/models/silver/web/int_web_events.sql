{{ config(
    unique_key='event_id',
    meta={'touches': 'event_date'},
    indexes=[{'columns': ['event_id'], 'unique': true}, {'columns': ['event_date']}],
    pre_hook=[
        "{{ create_load_marks() }}",
        "{{ create_touched_days() }}",
        "{{ open_load_marks('events') }}",
        "{{ open_touched_days() }}"
    ],
    post_hook=["{{ save_touched_days('event_date') }}", "{{ save_load_marks() }}"]
) }}

with

events as (

    select *
    from {{ rows_after(
        load_mark('events'),
        rows=ref('stg_events'),
        changes=ref('stg_events__changes'),
        key='event_id'
    ) }}

)

select
    event_id,
    event_date,
    lower(email) as email,
    coalesce({{ email_domain('email') }}, 'unknown') as company,
    coalesce(nullif(country, ''), 'Unknown') as country,
    ip,
    uri,
    action,
    tags,
    {{ is_ip_address('ip') }} as is_valid_ip,
    coalesce(action in ({{ quoted_list(var('web_known_actions')) }}), false) as is_known_action,
    _load_id
from events
