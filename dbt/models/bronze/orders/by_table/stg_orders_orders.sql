{%- set types = orders_columns('orders') -%}

select
    change_id,
    op,
    lsn,
    ordinal,
    {{ from_milliseconds('ts_ms') }} as changed_at,
    {{ json_columns('before', types) }},
    {{ json_columns('after', types) }},
    _load_id
from {{ ref('stg_order_changes') }}
where source_table = 'orders'
