select
    change_id,
    op,
    lsn,
    ordinal,
    {{ from_milliseconds('ts_ms') }} as changed_at,
    {{ orders_columns('before', 'orders') }},
    {{ orders_columns('after', 'orders') }},
    _load_id
from {{ ref('stg_order_changes') }}
where source_table = 'orders'
