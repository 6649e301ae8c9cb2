{{ config(contract={'enforced': true}) }}

with

orders as (

    select * from {{ ref('fct_orders_order') }}

),

customers as (

    select
        customer_id,
        customer_name,
        count(*) as pending_orders,
        cast(sum(items) as bigint) as items,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(order_value) as numeric(38, 2)) as order_value
    from orders
    where is_pending
    group by customer_id, customer_name

)

select
    customer_id,
    customer_name,
    pending_orders,
    items,
    quantity,
    order_value,
    row_number() over (order by pending_orders desc, customer_name asc, customer_id asc) as place,
    rank() over (order by pending_orders desc) as order_rank,
    count(*) over (partition by pending_orders) > 1 as is_tied
from customers
