with

vehicles as (

    select * from {{ ref('mart_fleet_vehicle_updates') }}

),

positions as (

    select
        positions.*,
        row_number() over (order by positions.located_at, positions.occurred_at) as position_number,
        lag(positions.latitude) over (order by positions.located_at, positions.occurred_at) as latitude_before,
        lag(positions.longitude) over (order by positions.located_at, positions.occurred_at) as longitude_before
    from vehicles
    inner join {{ ref('int_fleet_positions') }} as positions
        on
            vehicles.organization_id = positions.organization_id
            and vehicles.vehicle_id = positions.vehicle_id
            and positions.located_at >= vehicles.last_located_at - interval '1 hour'
    where vehicles.place = 1

),

legs as (

    select
        *,
        coalesce(
            {{ haversine_km('latitude_before', 'longitude_before', 'latitude', 'longitude') }}, 0
        ) as leg_km
    from positions

),

centre as (

    select
        (min(latitude) + max(latitude)) / 2 as latitude,
        (min(longitude) + max(longitude)) / 2 as longitude
    from positions

)

select
    legs.organization_id,
    legs.vehicle_id,
    legs.position_number,
    legs.located_at,
    legs.latitude,
    legs.longitude,
    cast(legs.leg_km as numeric(12, 6)) as leg_km,
    cast(sum(legs.leg_km) over (order by legs.position_number) as numeric(18, 6)) as travelled_km,
    cast(
        case when legs.longitude < centre.longitude then -1 else 1 end
        * {{ haversine_km('centre.latitude', 'centre.longitude', 'centre.latitude', 'legs.longitude') }}
        as numeric(12, 6)
    ) as east_km,
    cast(
        case when legs.latitude < centre.latitude then -1 else 1 end
        * {{ haversine_km('centre.latitude', 'centre.longitude', 'legs.latitude', 'centre.longitude') }}
        as numeric(12, 6)
    ) as north_km
from legs
cross join centre
