{{ follow_builds('int_web_events', by='month_start') }}

with

events as (

    select *
    from {{ touched_rows('int_web_events', day='event_date', period='month_start', grain='month') }}

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
