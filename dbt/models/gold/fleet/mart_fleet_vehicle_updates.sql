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
        min(first_located_at) as first_located_at,
        max(last_located_at) as last_located_at
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
    registered_at,
    deregistered_at,
    rank() over (order by updates desc) as update_rank,
    place,
    count(*) over (partition by updates) as vehicles_with_as_many,
    lpad(cast(place as text), length(cast(count(*) over () as text)), '0')
    || ' ' || substr(vehicle_id, 1, 8) as vehicle_label
from placed
