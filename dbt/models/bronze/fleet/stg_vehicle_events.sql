-- Made by dbt/generate.py from contracts/fleet/vehicle_events.odcs.yaml; change that,
-- then run `make generate`.

select
    cast(organization_id as {{ type_of('text') }}) as organization_id,
    cast(subject as {{ type_of('text') }}) as subject,
    cast(event as {{ type_of('text') }}) as event,
    cast(subject_id as {{ type_of('text') }}) as subject_id,
    cast(occurred_at as timestamptz) as occurred_at,
    cast(latitude as double precision) as latitude,
    cast(longitude as double precision) as longitude,
    cast(located_at as timestamptz) as located_at,
    cast(starts_at as timestamptz) as starts_at,
    cast(finishes_at as timestamptz) as finishes_at,
    _drop_id,
    _load_id,
    _line
from {{ source('fleet', 'vehicle_events') }}
