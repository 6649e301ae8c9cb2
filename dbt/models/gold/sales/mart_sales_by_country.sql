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
    min(min(transaction_date)) over (partition by month_start) as month_first_day,
    max(max(transaction_date)) over (partition by month_start) as month_last_day,
    {{- sales_sums() }}
from transactions
group by month_start, coalesce(customer_country, 'Unknown')
