-- Made by dbt/generate.py from contracts/web/events.odcs.yaml; change that,
-- then run `make generate`.

select
    cast(event_id as uuid) as event_id,
    cast(event_date as date) as event_date,
    cast(email as text) as email,
    cast(country as text) as country,
    cast(ip as text) as ip,
    cast(uri as text) as uri,
    cast(action as text) as action,
    cast(tags as text) as tags,
    _drop_id,
    _load_id,
    _line
from {{ source('web', 'events') }}
