{{ config(contract={'enforced': true}) }}

with

vehicles as (

    select * from {{ ref('mart_fleet_vehicle_updates') }}

),

positions as (

    select
        vehicles.organization_id,
        vehicles.vehicle_id,
        vehicles.vehicle_label,
        vehicles.place,
        kept.located_at,
        kept.latitude,
        kept.longitude,
        row_number() over (
            partition by vehicles.organization_id, vehicles.vehicle_id order by kept.located_at, kept.occurred_at
        ) as position_number,
        lag(kept.latitude) over (
            partition by vehicles.organization_id, vehicles.vehicle_id order by kept.located_at, kept.occurred_at
        ) as latitude_before,
        lag(kept.longitude) over (
            partition by vehicles.organization_id, vehicles.vehicle_id order by kept.located_at, kept.occurred_at
        ) as longitude_before
    from vehicles
    inner join {{ ref('int_fleet_positions') }} as kept
        on
            vehicles.organization_id = kept.organization_id
            and vehicles.vehicle_id = kept.vehicle_id
            and vehicles.last_located_at - interval '1 hour' <= kept.located_at
            and vehicles.last_located_at >= kept.located_at

),

legs as (

    select
        *,
        coalesce(
            {{ haversine_km('latitude_before', 'longitude_before', 'latitude', 'longitude') }}, 0
        ) as leg_km
    from positions

),

centres as (

    select
        organization_id,
        vehicle_id,
        (min(latitude) + max(latitude)) / 2 as latitude,
        (min(longitude) + max(longitude)) / 2 as longitude,
        max(position_number) as positions
    from positions
    group by organization_id, vehicle_id

)

select
    legs.organization_id,
    legs.vehicle_id,
    legs.vehicle_label,
    legs.place,
    legs.position_number,
    legs.position_number = centres.positions as is_last,
    legs.located_at,
    legs.latitude,
    legs.longitude,
    cast(legs.leg_km as numeric(12, 6)) as leg_km,
    cast(sum(legs.leg_km) over (
        partition by legs.organization_id, legs.vehicle_id
        order by legs.position_number
        rows between unbounded preceding and current row
    ) as numeric(18, 6)) as travelled_km,
    {{ east_km('centres', 'legs') }} as east_km,
    {{ north_km('centres', 'legs') }} as north_km
from legs
inner join centres on legs.organization_id = centres.organization_id and legs.vehicle_id = centres.vehicle_id
