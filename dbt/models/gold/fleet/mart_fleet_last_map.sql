{{ config(contract={'enforced': true}) }}

with

paths as (

    select * from {{ ref('mart_fleet_vehicle_paths') }}

),

centre as (

    select
        (min(latitude) + max(latitude)) / 2 as latitude,
        (min(longitude) + max(longitude)) / 2 as longitude
    from paths

),

placed as (

    select
        paths.organization_id,
        paths.vehicle_id,
        paths.vehicle_label,
        paths.place,
        paths.is_last,
        paths.located_at,
        paths.latitude,
        paths.longitude,
        {{ east_km('centre', 'paths') }} as east_km,
        {{ north_km('centre', 'paths') }} as north_km
    from paths
    cross join centre

),

reach as (

    select max(greatest(abs(north_km), abs(east_km))) as reach_km
    from placed

),

half_sides as (

    {{ half_sides_km() }}

),

frame as (

    select
        min(half_sides.half_km) as half_km,
        min(half_sides.side_km) as side_km,
        max(half_sides.squares_per_km) as squares_per_km
    from half_sides
    inner join reach on half_sides.half_km >= reach.reach_km

),

-- The ground: where the fleet drove lately, one point for each of the map's 80 by 80 squares in which it did.
ground as (

    select distinct
        cast(floor(placed.east_km * frame.squares_per_km) as integer) as east_square,
        cast(floor(placed.north_km * frame.squares_per_km) as integer) as north_square,
        frame.side_km
    from placed
    cross join frame

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

corners as (

    select
        sides.side,
        sides.corner,
        frame.half_km
    from frame
    cross join sides
    where frame.half_km is not null

),

points as (

    select
        organization_id,
        vehicle_id,
        vehicle_label,
        {{ point_in_words() }} as point_label,
        case when place = 1 then 'Top vehicle' else 'Other vehicles' end as point_kind,
        located_at,
        east_km,
        north_km
    from placed
    where is_last
    union all
    select
        null as organization_id,
        null as vehicle_id,
        null as vehicle_label,
        'ground ' || cast(east_square as {{ type_of('text') }})
        || ' ' || cast(north_square as {{ type_of('text') }}) as point_label,
        'Driven in the last hour' as point_kind,
        null as located_at,
        cast((east_square + 0.5) * side_km as numeric(12, 6)) as east_km,
        cast((north_square + 0.5) * side_km as numeric(12, 6)) as north_km
    from ground
    union all
    select
        null as organization_id,
        null as vehicle_id,
        null as vehicle_label,
        corner as point_label,
        'Corner of the map' as point_kind,
        null as located_at,
        cast(side * half_km as numeric(12, 6)) as east_km,
        cast(side * half_km as numeric(12, 6)) as north_km
    from corners

)

select
    organization_id,
    vehicle_id,
    vehicle_label,
    point_label,
    point_kind,
    located_at,
    east_km,
    north_km
from points
