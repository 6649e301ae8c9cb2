select
    change_id,
    op,
    lsn,
    ordinal,
    {{ from_milliseconds('ts_ms') }} as changed_at,
    {{ orders_columns('before', 'order_items') }},
    {{ orders_columns('after', 'order_items') }},
    _load_id
from {{ ref('stg_order_changes') }}
where source_table = 'order_items'
