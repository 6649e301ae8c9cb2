{{ config(contract={'enforced': true}) }}

with

items as (

    select * from {{ ref('fct_orders_order_item') }}

),

products as (

    select
        product_id,
        product_name,
        count(*) as items,
        cast(sum(quantity) as bigint) as quantity,
        count(distinct order_id) as orders
    from items
    where is_pending
    group by product_id, product_name

)

select
    product_id,
    product_name,
    items,
    quantity,
    orders,
    row_number() over (order by items desc, product_name asc, product_id asc) as place,
    rank() over (order by items desc) as item_rank,
    count(*) over (partition by items) > 1 as is_tied
from products
