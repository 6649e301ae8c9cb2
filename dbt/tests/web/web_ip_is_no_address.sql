{{ config(severity='warn', store_failures=true, tags=['web']) }}
-- Neither IPv4 nor IPv6: the site wrote something else, or nothing. Counted as events all the same.

select
    event_id,
    event_date,
    ip
from {{ ref('int_web_events') }}
where not is_valid_ip
