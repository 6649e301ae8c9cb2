{{ write_differences(
    'order_changes', key='order_item_id', through=['int_orders_orders_history', 'int_orders_order_items_history']
) }}

with

items as (

    select * from {{ ref('int_orders_order_items') }}

),

orders as (

    select * from {{ ref('fct_orders_order') }}

),

products as (

    select * from {{ ref('dim_orders_product') }}

)

select
    items.order_item_id,
    items.order_id,
    items.product_id,
    coalesce(products.product_name, 'Unknown') as product_name,
    coalesce(items.quantity, 0) as quantity,
    orders.delivery_date,
    orders.customer_id,
    coalesce(orders.customer_name, 'Unknown') as customer_name,
    -- An item whose order is gone belongs to nothing that is open.
    coalesce(orders.status, 'No order') as status,
    coalesce(orders.is_open, false) as is_open,
    coalesce(orders.is_pending, false) as is_pending,
    items.valid_from as changed_at
from items
left join orders on items.order_id = orders.order_id
left join products on items.product_id = products.product_id
