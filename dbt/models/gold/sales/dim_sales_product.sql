{{ write_differences('int_sales_transactions', key='product_key') }}

with

transactions as (

    select * from {{ ref('int_sales_transactions') }}

),

-- The latest day on which a sale says the product's name, then the latest such sale of that day.
latest_days as (

    select
        product_key,
        coalesce(
            max(case when product_name is not null then transaction_date end), max(transaction_date)
        ) as latest_date,
        max(loaded_at) as newest_loaded_at
    from transactions
    group by product_key

),

latest_first as (

    select
        transactions.*,
        latest_days.newest_loaded_at,
        row_number() over (
            partition by transactions.product_key
            order by
                (case when transactions.product_name is null then 1 else 0 end),
                transactions.transaction_id desc
        ) as place
    from transactions
    inner join latest_days
        on
            transactions.product_key = latest_days.product_key
            and transactions.transaction_date = latest_days.latest_date

)

select
    product_key,
    product_id,
    coalesce(product_name, 'Unknown') as product_name,
    false as is_unknown,
    newest_loaded_at as loaded_at
from latest_first
where place = 1 and product_key <> 'unknown'
union all
select
    'unknown' as product_key,
    null as product_id,
    'Unknown' as product_name,
    true as is_unknown,
    max(loaded_at) as loaded_at
from transactions
where product_key = 'unknown'
