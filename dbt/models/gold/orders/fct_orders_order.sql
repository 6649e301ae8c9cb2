{{ config(
    materialized='incremental',
    incremental_strategy='by_difference',
    unique_key='order_id',
    pre_hook="{{ open_build_mark('order_changes', through=['int_orders_orders_history', 'int_orders_order_items_history']) }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

orders as (

    select * from {{ ref('int_orders_orders') }}

),

items as (

    select
        order_id,
        count(*) as items,
        sum(quantity) as quantity
    from {{ ref('int_orders_order_items') }}
    group by order_id

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
    orders.created_at,
    orders.valid_from as changed_at
from orders
left join items on orders.order_id = items.order_id
left join customers on orders.customer_id = customers.customer_id
