{{ follow_builds('int_fleet_positions', by='position_date', counts='updates') }}

with

positions as (

    select * from {{ touched_rows('int_fleet_positions', day='position_date') }}

)

select
    position_date,
    organization_id,
    vehicle_id,
    nullif(count(vehicle_id), 0) as updates,
    min(located_at) as first_located_at,
    max(located_at) as last_located_at
from positions
group by position_date, organization_id, vehicle_id
