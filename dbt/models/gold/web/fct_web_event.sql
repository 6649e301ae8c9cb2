{{ follow_builds('int_web_events', by='event_date', counts='event_id') }}

with

events as (

    select * from {{ touched_rows('int_web_events', day='event_date') }}

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
