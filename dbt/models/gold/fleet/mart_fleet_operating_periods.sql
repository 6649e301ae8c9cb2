{{ config(contract={'enforced': true}) }}

with

periods as (

    select * from {{ ref('int_fleet_operating_periods') }}

),

distances as (

    select
        organization_id,
        operating_period_id,
        count(*) as vehicles,
        sum(distance_km) as distance_km
    from {{ ref('mart_fleet_vehicle_distances') }}
    group by organization_id, operating_period_id

)

select
    periods.organization_id,
    periods.operating_period_id,
    periods.starts_at,
    periods.planned_finish_at,
    periods.deleted_at,
    periods.ended_at,
    periods.took_place,
    coalesce(distances.vehicles, 0) as vehicles,
    cast(coalesce(distances.distance_km, 0) as numeric(18, 6)) as distance_km,
    {{ mean('distances.distance_km', 'distances.vehicles') }} as average_distance_km,
    {{ time_text(utc_time('periods.starts_at'), 'YYYY-MM-DD HH24:MI') }} || ' ' || periods.operating_period_id
        as period_label
from periods
left join distances
    on
        periods.organization_id = distances.organization_id
        and periods.operating_period_id = distances.operating_period_id
