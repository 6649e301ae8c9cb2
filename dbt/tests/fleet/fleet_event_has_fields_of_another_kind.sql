{{ config(severity='warn', store_failures=true, tags=['fleet']) }}
-- The contract says which fields a kind of record has; a record that brings more is kept whole, and told here.

select
    organization_id,
    subject,
    event,
    subject_id,
    occurred_at
from {{ ref('stg_vehicle_events') }}
where
    (
        not (subject = 'vehicle' and event = 'update')
        and (latitude is not null or longitude is not null or located_at is not null)
    )
    or (subject <> 'operating_period' and (starts_at is not null or finishes_at is not null))
