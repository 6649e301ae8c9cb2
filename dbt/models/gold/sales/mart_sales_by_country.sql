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
    coalesce(customer_country, 'Unknown') as country,
    {{- sales_sums() }}
from transactions
group by month_start, coalesce(customer_country, 'Unknown')
