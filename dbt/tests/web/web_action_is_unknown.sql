{{ config(severity='warn', store_failures=true, tags=['web']) }}
-- An action that `web_known_actions` does not have: a new one, or a wrong one. Counted as an event all the same.

select
    event_id,
    event_date,
    action
from {{ ref('int_web_events') }}
where not is_known_action
