{{ follow_builds('int_sales_transactions', by='transaction_date', counts='transaction_id') }}

with

transactions as (

    select * from {{ touched_rows('int_sales_transactions', day='transaction_date') }}

)

select
    transaction_id,
    {{ sales_date_key('transaction_date') }} as date_key,
    customer_key,
    product_key,
    location_key,
    transaction_date,
    quantity,
    price,
    tax,
    revenue,
    is_counted,
    is_restated,
    loaded_at
from transactions
