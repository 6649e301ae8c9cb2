{{ config(contract={'enforced': true}) }}

with

periods as (

    select * from {{ ref('mart_fleet_operating_periods') }}

)

select
    organization_id,
    count(case when took_place then 1 end) as operating_periods,
    cast(sum(vehicles) as bigint) as vehicle_periods,
    cast(sum(distance_km) as numeric(18, 6)) as distance_km,
    {{ mean('sum(distance_km)', 'sum(vehicles)') }} as average_distance_km
from periods
group by organization_id
