with

path as (

    select * from {{ ref('mart_fleet_top_vehicle_path') }}

),

reach as (

    select
        max(position_number) as last_number,
        max(greatest(abs(north_km), abs(east_km) / 2)) as reach_km
    from path

),

-- Half the height of the map, a round number, so that its axes end on their marks.
sizes as (

    {% for power in ['0.1', '1', '10', '100', '1000', '10000'] %}
        {% for step in ['1', '2', '5'] %}
            select {{ step }} * {{ power }} as half_height_km
            {{ 'union all' if not (loop.last and power == '10000') }}
        {% endfor %}
    {% endfor %}

),

frame as (

    select min(sizes.half_height_km) as half_height_km
    from sizes
    inner join reach on sizes.half_height_km >= reach.reach_km

),

points as (

    select
        case
            when path.position_number = reach.last_number then 'Last place'
            when path.position_number = 1 then 'First place'
            else 'On the way'
        end as point_kind,
        path.position_number as point_number,
        cast(path.position_number as text)
        || ', ' || to_char(path.located_at at time zone 'UTC', 'HH24:MI:SS') || ' UTC' as point_label,
        path.vehicle_id,
        path.located_at,
        path.east_km,
        path.north_km
    from path
    cross join reach

),

corners as (

    select
        'Corner of the map' as point_kind,
        cast(0 as bigint) as point_number,
        'south-west' as point_label,
        -2 * half_height_km as east_km,
        -half_height_km as north_km
    from frame
    where half_height_km is not null
    union all
    select
        'Corner of the map' as point_kind,
        cast(-1 as bigint) as point_number,
        'north-east' as point_label,
        2 * half_height_km as east_km,
        half_height_km as north_km
    from frame
    where half_height_km is not null

)

select
    point_number,
    point_label,
    point_kind,
    vehicle_id,
    located_at,
    east_km,
    north_km
from points
union all
select
    point_number,
    point_label,
    point_kind,
    cast(null as text) as vehicle_id,
    cast(null as timestamptz) as located_at,
    cast(east_km as numeric(12, 6)) as east_km,
    cast(north_km as numeric(12, 6)) as north_km
from corners
