{{ config(
    materialized='incremental',
    incremental_strategy='by_difference',
    unique_key='product_key',
    pre_hook="{{ open_build_mark('int_sales_transactions') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

transactions as (

    select * from {{ ref('int_sales_transactions') }}

),

-- A sale without the product's name says nothing of it.
latest_first as (

    select
        *,
        row_number() over (
            partition by product_key
            order by (case when product_name is null then 1 else 0 end), transaction_date desc, transaction_id desc
        ) as place,
        max(loaded_at) over (partition by product_key) as newest_loaded_at
    from transactions

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
