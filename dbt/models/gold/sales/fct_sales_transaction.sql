{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='transaction_date',
    meta={'counts': 'transaction_id'},
    indexes=[{'columns': ['transaction_date']}],
    pre_hook="{{ open_build_mark('int_sales_transactions') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

transactions as (

    select *
    from {{ periods_after(
        build_mark('int_sales_transactions'),
        'int_sales_transactions',
        rows=ref('int_sales_transactions'),
        day='transaction_date',
        period='transaction_date'
    ) }}

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
