-- Made by dbt/generate.py from contracts/web/events.odcs.yaml; change that,
-- then run `make generate`.

select
    cast(event_id as {{ type_of('uuid') }}) as event_id,
    cast(event_date as date) as event_date,
    cast(email as {{ type_of('text') }}) as email,
    cast(country as {{ type_of('text') }}) as country,
    cast(ip as {{ type_of('text') }}) as ip,
    cast(uri as {{ type_of('text') }}) as uri,
    cast(action as {{ type_of('text') }}) as action,
    cast(tags as {{ type_of('text') }}) as tags,
    _drop_id,
    _load_id,
    _line
from {{ source('web', 'events') }}
