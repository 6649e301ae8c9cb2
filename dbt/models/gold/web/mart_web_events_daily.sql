{{ follow_builds('int_web_events', by='event_date', indexed=false) }}

with

events as (

    select * from {{ touched_rows('int_web_events', day='event_date') }}

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
