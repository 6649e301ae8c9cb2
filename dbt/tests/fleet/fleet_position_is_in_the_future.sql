{{ config(severity='warn', store_failures=true, tags=['fleet']) }}
-- A device's clock runs ahead: the update counts, and no hour, map or path ends with it.

select
    organization_id,
    vehicle_id,
    occurred_at,
    located_at
from {{ ref('int_fleet_positions') }}
where position_date > {{ last_possible_day() }}
