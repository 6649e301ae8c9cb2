select
    change_id,
    op,
    lsn,
    ordinal,
    {{ from_milliseconds('ts_ms') }} as changed_at,
    {{ orders_columns('before', 'customers') }},
    {{ orders_columns('after', 'customers') }},
    _load_id
from {{ ref('stg_order_changes') }}
where source_table = 'customers'
