{{ config(contract={'enforced': true}) }}

with

paths as (

    select * from {{ ref('mart_fleet_vehicle_paths') }}

),

reach as (

    select
        organization_id,
        vehicle_id,
        vehicle_label,
        max(greatest(abs(north_km), abs(east_km))) as reach_km
    from paths
    group by organization_id, vehicle_id, vehicle_label

),

half_sides as (

    {{ half_sides_km() }}

),

frames as (

    select
        reach.organization_id,
        reach.vehicle_id,
        reach.vehicle_label,
        min(half_sides.half_km) as half_km
    from reach
    inner join half_sides on reach.reach_km <= half_sides.half_km
    group by reach.organization_id, reach.vehicle_id, reach.vehicle_label

),

sides as (

    select
        -1 as side,
        'south-west' as corner
    union all
    select
        1 as side,
        'north-east' as corner

),

-- Each vehicle has its own, so a filter by vehicle also filters the frames.
corners as (

    select
        frames.*,
        sides.side,
        sides.corner
    from frames
    cross join sides

)

select
    organization_id,
    vehicle_id,
    vehicle_label,
    position_number as point_number,
    {{ point_in_words() }} as point_label,
    case
        when is_last then 'Last position'
        when position_number = 1 then 'First position'
        else 'On the way'
    end as point_kind,
    located_at,
    east_km,
    north_km
from paths
union all
select
    organization_id,
    vehicle_id,
    vehicle_label,
    cast(case when side = -1 then 0 else -1 end as bigint) as point_number,
    corner as point_label,
    'Corner of the map' as point_kind,
    cast(null as timestamptz) as located_at,
    cast(side * half_km as numeric(12, 6)) as east_km,
    cast(side * half_km as numeric(12, 6)) as north_km
from corners
