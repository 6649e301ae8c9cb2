{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='month_start',
    meta={'counts': 'transactions'},
    indexes=[{'columns': ['month_start']}],
    pre_hook="{{ open_build_mark('int_sales_transactions') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

transactions as (

    select *
    from {{ sales_of_months(ref('int_sales_transactions')) }}

)

select
    month_start,
    {{ sales_month_name('month_start') }} as month_name,
    customer_key,
    coalesce(
        max(nullif(trim(coalesce(customer_first_name, '') || ' ' || coalesce(customer_last_name, '')), '')), 'Unknown'
    ) as customer_name,
    -- In small letters, as in the key: a customer has one address in all months, and one bar.
    max(lower(customer_email)) as customer_email,
    {{- sales_sums() }}
from transactions
group by month_start, customer_key
