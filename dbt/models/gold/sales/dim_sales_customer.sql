{{ write_differences('int_sales_transactions', key='customer_key') }}

with

transactions as (

    select * from {{ ref('int_sales_transactions') }}

),

-- The latest day first and then the latest sale of that day: all sales are hashed, and only few sorted.
latest_days as (

    select
        customer_key,
        max(transaction_date) as latest_date,
        max(loaded_at) as newest_loaded_at
    from transactions
    group by customer_key

),

latest_first as (

    select
        transactions.*,
        latest_days.newest_loaded_at,
        row_number() over (
            partition by transactions.customer_key order by transactions.transaction_id desc
        ) as place
    from transactions
    inner join latest_days
        on
            transactions.customer_key = latest_days.customer_key
            and transactions.transaction_date = latest_days.latest_date

)

select
    customer_key,
    customer_first_name,
    customer_last_name,
    customer_email,
    customer_phone,
    false as is_unknown,
    newest_loaded_at as loaded_at
from latest_first
where place = 1 and customer_key <> 'unknown'
union all
select
    'unknown' as customer_key,
    'Unknown' as customer_first_name,
    'Unknown' as customer_last_name,
    null as customer_email,
    null as customer_phone,
    true as is_unknown,
    max(loaded_at) as loaded_at
from transactions
where customer_key = 'unknown'
