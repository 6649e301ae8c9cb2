-- Made by dbt/generate.py from contracts/orders/order_changes.odcs.yaml; change that,
-- then run `make generate`.

select
    _key as change_id,
    cast(lsn as bigint) as lsn,
    cast(ordinal as bigint) as ordinal,
    cast(op as {{ type_of('text') }}) as op,
    cast(source_table as {{ type_of('text') }}) as source_table,
    cast(ts_ms as bigint) as ts_ms,
    cast(before as {{ type_of('text') }}) as before,
    cast(after as {{ type_of('text') }}) as after,
    _occurrence,
    _drop_id,
    _load_id,
    _line
from {{ source('orders', 'order_changes') }}
