{{ follow_loads(
    'vehicle_events',
    key=['organization_id', 'vehicle_id', 'event', 'occurred_at'],
    indexes=[{'columns': ['organization_id', 'vehicle_id', 'event', 'occurred_at'], 'unique': true}]
) }}

with

registrations as (

    select * from {{ fleet_events(load_mark('vehicle_events'), 'vehicle', ['register', 'deregister']) }}

)

select
    organization_id,
    subject_id as vehicle_id,
    event,
    occurred_at,
    _load_id
from registrations
