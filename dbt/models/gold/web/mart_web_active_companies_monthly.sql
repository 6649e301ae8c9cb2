{{ follow_builds('int_web_events', by='month_start', through=['mart_web_active_users_monthly']) }}

with

users as (

    select *
    from {{ touched_rows(
        'int_web_events', day='month_start', grain='month', rows=ref('mart_web_active_users_monthly')
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
