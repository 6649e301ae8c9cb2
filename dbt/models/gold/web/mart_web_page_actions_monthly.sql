{{ follow_builds('int_web_events', by='month_start') }}

with

events as (

    select *
    from {{ touched_rows('int_web_events', day='event_date', period='month_start', grain='month') }}

)

select
    month_start,
    coalesce(nullif(uri, ''), 'Unknown') as uri,
    case when is_known_action then action else 'Unknown' end as action,
    nullif(count(event_id), 0) as events
from events
group by 1, 2, 3
