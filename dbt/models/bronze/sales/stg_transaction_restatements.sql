-- Made by dbt/generate.py from contracts/sales/transaction_restatements.odcs.yaml; change that,
-- then run `make generate`.

select
    cast(transaction_id as bigint) as transaction_id,
    cast(customer_id as bigint) as customer_id,
    cast(transaction_date as date) as transaction_date,
    cast(product_id as bigint) as product_id,
    cast(product_name as {{ type_of('text') }}) as product_name,
    cast(quantity as bigint) as quantity,
    cast(price as numeric(18, 2)) as price,
    cast(tax as numeric(18, 2)) as tax,
    _drop_id,
    _load_id,
    _line
from {{ source('sales', 'transaction_restatements') }}
