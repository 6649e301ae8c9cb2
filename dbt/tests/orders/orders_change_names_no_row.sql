{{ config(severity='warn', store_failures=true, tags=['orders']) }}
-- Changes of a row that do not say of which: a deletion whose table tells no key, or a record that is cut short.

select
    change_id,
    source_table,
    op,
    lsn,
    ordinal
from {{ ref('int_orders_changes') }}
where row_id is null and op not in ('t', 'g')
