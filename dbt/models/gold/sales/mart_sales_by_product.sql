{{ follow_builds('int_sales_transactions', by='month_start', counts='transactions') }}

with

transactions as (

    select *
    from {{ touched_rows('int_sales_transactions', day='transaction_date', period='month_start', grain='month') }}

)

select
    month_start,
    {{ sales_month_name('month_start') }} as month_name,
    coalesce(customer_country, 'Unknown') as country,
    product_key,
    product_id,
    -- One name in all countries, so that a list of products has one line of it.
    coalesce(
        max(max(product_name)) over (partition by month_start, product_key, product_id), 'Unknown'
    ) as product_name,
    {{- sales_sums() }}
from transactions
group by month_start, coalesce(customer_country, 'Unknown'), product_key, product_id
