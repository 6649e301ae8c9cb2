{{ config(contract={'enforced': true}) }}

with

months as (

    select * from {{ ref('mart_web_active_users_monthly') }}

)

select
    email,
    company,
    cast(sum(events) as bigint) as events,
    cast(sum(active_days) as bigint) as active_days,
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date,
    rank() over (order by sum(events) desc) as activity_rank
from months
group by email, company
