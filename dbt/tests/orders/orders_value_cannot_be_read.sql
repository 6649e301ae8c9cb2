{{ config(severity='warn', store_failures=true, tags=['orders']) }}
-- Values of the log that are not of their column's type: bronze and all after it have none for them.

with

told as (

    select
        change_id,
        source_table,
        lsn,
        ordinal,
        {{ orders_unreadable_fields() }} as unreadable_fields
    from {{ ref('stg_order_changes') }}

)

select
    change_id,
    source_table,
    lsn,
    ordinal,
    unreadable_fields
from told
where unreadable_fields <> ''
