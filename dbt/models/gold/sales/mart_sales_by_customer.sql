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
    customer_key,
    -- One name in all countries, so that a list of customers has one line of it.
    coalesce(
        max(max(nullif(trim(coalesce(customer_first_name, '') || ' ' || coalesce(customer_last_name, '')), '')))
            over (partition by month_start, customer_key),
        'Unknown'
    ) as customer_name,
    -- In small letters, as in the key: a customer has one address in all months, and one bar.
    max(lower(customer_email)) as customer_email,
    {{- sales_sums() }}
from transactions
group by month_start, coalesce(customer_country, 'Unknown'), customer_key
