{{ follow_loads(
    'vehicle_events',
    key=['organization_id', 'operating_period_id', 'event', 'occurred_at'],
    indexes=[{'columns': ['organization_id', 'operating_period_id', 'event', 'occurred_at'], 'unique': true}]
) }}

with

period_events as (

    select * from {{ fleet_events(load_mark('vehicle_events'), 'operating_period', ['create', 'delete']) }}

)

select
    organization_id,
    subject_id as operating_period_id,
    event,
    occurred_at,
    starts_at,
    finishes_at,
    _load_id
from period_events
