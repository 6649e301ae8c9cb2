{{ write_differences('order_changes', key='product_id', through=['int_orders_products_history']) }}

with

history as (

    select * from {{ ref('int_orders_products_history') }}

),

last_first as (

    select
        *,
        row_number() over (partition by product_id order by place desc) as number_from_last
    from history

)

select
    product_id,
    coalesce(product_name, 'Unknown') as product_name,
    barcode,
    unit_price,
    is_active,
    not is_current as is_deleted,
    case when is_current then valid_from else valid_to end as changed_at
from last_first
where number_from_last = 1
