{{ config(severity='warn', store_failures=true, tags=['sales']) }}
-- Sales without quantity or without price. They are shown beside the revenue, and kept out of it.

select
    transaction_id,
    transaction_date,
    quantity,
    price
from {{ ref('int_sales_transactions') }}
where not is_counted
