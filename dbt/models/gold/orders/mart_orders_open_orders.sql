{{ config(contract={'enforced': true}) }}

with

orders as (

    select * from {{ ref('fct_orders_order') }}

)

select
    delivery_date,
    status,
    count(*) as orders,
    count(case when items = 0 then 1 end) as orders_without_items,
    cast(sum(items) as bigint) as items,
    cast(sum(quantity) as bigint) as quantity,
    cast(sum(order_value) as numeric(38, 2)) as order_value
from orders
where is_open
group by delivery_date, status
