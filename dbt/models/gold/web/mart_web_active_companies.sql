{{ config(contract={'enforced': true}) }}

with

user_totals as (

    select * from {{ ref('mart_web_active_users') }}

)

select
    company,
    cast(sum(events) as bigint) as events,
    count(*) as active_users,
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date,
    rank() over (order by sum(events) desc) as activity_rank
from user_totals
group by company
