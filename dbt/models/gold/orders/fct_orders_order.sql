{{ write_differences(
    'order_changes', key='order_id', through=['int_orders_orders_history', 'int_orders_order_items_history']
) }}

with

orders as (

    select * from {{ ref('int_orders_orders') }}

),

products as (

    select * from {{ ref('dim_orders_product') }}

),

items as (

    select
        items.order_id,
        count(*) as items,
        sum(items.quantity) as quantity,
        sum(items.quantity * products.unit_price) as order_value,
        count(*) - count(items.quantity * products.unit_price) as items_without_value
    from {{ ref('int_orders_order_items') }} as items
    left join products on items.product_id = products.product_id
    group by items.order_id

),

customers as (

    select * from {{ ref('dim_orders_customer') }}

)

select
    orders.order_id,
    orders.order_date,
    orders.delivery_date,
    orders.customer_id,
    -- The source has no foreign keys: an order may name a customer that nobody knows.
    coalesce(customers.customer_name, 'Unknown') as customer_name,
    coalesce(orders.status, 'Unknown') as status,
    {{ orders_is_open('orders.status') }} as is_open,
    {{ orders_is_pending('orders.status') }} as is_pending,
    coalesce(items.items, 0) as items,
    cast(coalesce(items.quantity, 0) as bigint) as quantity,
    cast(coalesce(items.order_value, 0) as numeric(38, 2)) as order_value,
    cast(coalesce(items.items_without_value, 0) as bigint) as items_without_value,
    orders.created_at,
    orders.valid_from as changed_at
from orders
left join items on orders.order_id = items.order_id
left join customers on orders.customer_id = customers.customer_id
