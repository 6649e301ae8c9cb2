{{ follow_loads(
    'vehicle_events',
    key=['organization_id', 'vehicle_id', 'occurred_at'],
    touches='position_date',
    indexes=[
        {'columns': ['organization_id', 'vehicle_id', 'occurred_at'], 'unique': true},
        {'columns': ['position_date']},
        {'columns': ['organization_id', 'located_at']},
        {'columns': ['vehicle_id', 'located_at']}
    ]
) }}

with

updates as (

    select * from {{ fleet_events(load_mark('vehicle_events'), 'vehicle', ['update']) }}

)

select
    organization_id,
    subject_id as vehicle_id,
    occurred_at,
    located_at,
    {{ utc_date('located_at') }} as position_date,
    latitude,
    longitude,
    _load_id
from updates
