{{ config(contract={'enforced': true}) }}

with

days as (

    select * from {{ ref('mart_fleet_vehicle_updates_daily') }}

),

registrations as (

    select
        organization_id,
        vehicle_id,
        max(case when event = 'register' then occurred_at end) as registered_at,
        max(case when event = 'deregister' then occurred_at end) as deregistered_at
    from {{ ref('int_fleet_registrations') }}
    group by organization_id, vehicle_id

),

totals as (

    select
        organization_id,
        vehicle_id,
        cast(sum(updates) as bigint) as updates,
        -- A clock that runs ahead must not decide which hour is the last one.
        min(case when position_date <= {{ last_possible_day() }} then first_located_at end) as first_located_at,
        max(case when position_date <= {{ last_possible_day() }} then last_located_at end) as last_located_at,
        cast(
            sum(case when position_date > {{ last_possible_day() }} then updates else 0 end) as bigint
        ) as updates_ahead
    from days
    group by organization_id, vehicle_id

),

vehicles as (

    select
        coalesce(totals.organization_id, registrations.organization_id) as organization_id,
        coalesce(totals.vehicle_id, registrations.vehicle_id) as vehicle_id,
        coalesce(totals.updates, 0) as updates,
        totals.first_located_at,
        totals.last_located_at,
        coalesce(totals.updates_ahead, 0) as updates_ahead,
        registrations.registered_at,
        registrations.deregistered_at
    from totals
    full join registrations
        on totals.organization_id = registrations.organization_id and totals.vehicle_id = registrations.vehicle_id

),

-- Of vehicles with as many updates the first by name, so that all who ask for the top one mean the same.
placed as (

    select
        *,
        row_number() over (order by updates desc, organization_id asc, vehicle_id asc) as place
    from vehicles

)

select
    organization_id,
    vehicle_id,
    updates,
    first_located_at,
    last_located_at,
    updates_ahead,
    registered_at,
    deregistered_at,
    rank() over (order by updates desc) as update_rank,
    place,
    count(*) over (partition by updates) as vehicles_with_as_many,
    lpad(
        cast(place as {{ type_of('text') }}),
        cast(length(cast(count(*) over () as {{ type_of('text') }})) as integer),
        '0'
    )
    || ' ' || substring(vehicle_id, 1, 8) as vehicle_label
from placed
