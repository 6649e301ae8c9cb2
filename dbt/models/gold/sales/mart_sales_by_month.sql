{{ follow_builds('int_sales_transactions', by='month_start', counts='transactions') }}

with

transactions as (

    select *
    from {{ touched_rows('int_sales_transactions', day='transaction_date', period='month_start', grain='month') }}

)

select
    month_start,
    {{ sales_month_name('month_start') }} as month_name,
    min(transaction_date) as first_day,
    max(transaction_date) as last_day,
    {{- sales_sums() }}
from transactions
group by month_start
