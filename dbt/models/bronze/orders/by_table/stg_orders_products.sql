{%- set types = {
    'product_id': 'bigint',
    'product_name': 'text',
    'barcode': 'text',
    'unity_price': 'numeric(12, 2)',
    'is_active': 'boolean',
    'updated_at': 'timestamp',
    'updated_by': 'bigint',
    'created_at': 'timestamp',
    'created_by': 'bigint'
} -%}

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
where source_table = 'products'
