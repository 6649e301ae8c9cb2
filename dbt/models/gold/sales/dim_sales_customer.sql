{{ config(
    materialized='incremental',
    incremental_strategy='by_difference',
    unique_key='customer_key',
    pre_hook="{{ open_build_mark('int_sales_transactions') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

transactions as (

    select * from {{ ref('int_sales_transactions') }}

),

latest_first as (

    select
        *,
        row_number() over (partition by customer_key order by transaction_date desc, transaction_id desc) as place,
        max(loaded_at) over (partition by customer_key) as newest_loaded_at
    from transactions

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
