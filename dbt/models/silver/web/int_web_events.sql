{{ follow_loads(
    'events',
    key='event_id',
    touches='event_date',
    indexes=[{'columns': ['event_id'], 'unique': true}, {'columns': ['event_date']}]
) }}

with

events as (

    select * from {{ loaded_rows('events', key='event_id') }}

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
