{{ follow_builds(
    'int_fleet_positions', by=['organization_id', 'operating_period_id'], counts='positions', indexed=false
) }}

with

redone as (

    select * from {{ fleet_periods_after(build_mark('int_fleet_positions'), ref('int_fleet_operating_periods')) }}

),

positions as (

    select
        redone.organization_id,
        redone.operating_period_id,
        redone.starts_at,
        redone.ended_at,
        kept.vehicle_id,
        kept.latitude,
        kept.longitude,
        lag(kept.latitude) over (
            partition by redone.organization_id, redone.operating_period_id, kept.vehicle_id
            order by kept.located_at, kept.occurred_at
        ) as latitude_before,
        lag(kept.longitude) over (
            partition by redone.organization_id, redone.operating_period_id, kept.vehicle_id
            order by kept.located_at, kept.occurred_at
        ) as longitude_before
    from redone
    left join {{ ref('int_fleet_positions') }} as kept
        on
            redone.organization_id = kept.organization_id
            and kept.located_at between redone.starts_at and redone.ended_at

)

select
    organization_id,
    operating_period_id,
    starts_at,
    ended_at,
    vehicle_id,
    nullif(count(vehicle_id), 0) as positions,
    cast(coalesce(sum(
        {{ haversine_km('latitude_before', 'longitude_before', 'latitude', 'longitude') }}
    ), 0) as numeric(18, 6)) as distance_km
from positions
{{ 'where vehicle_id is not null' if not is_incremental() }}
group by organization_id, operating_period_id, starts_at, ended_at, vehicle_id
