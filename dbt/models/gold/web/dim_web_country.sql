{{ config(contract={'enforced': true}) }}

with

months as (

    select * from {{ ref('mart_web_active_countries_monthly') }}

)

select
    country,
    cast(sum(events) as bigint) as events,
    min(first_event_date) as first_event_date,
    max(last_event_date) as last_event_date
from months
group by country
