{{ config(contract={'enforced': true}) }}

with

dates as (

    select
        delivery_date,
        cast(sum(orders) as bigint) as open_orders,
        cast(sum(items) as bigint) as items,
        cast(sum(quantity) as bigint) as quantity,
        cast(sum(order_value) as numeric(38, 2)) as order_value
    from {{ ref('mart_orders_open_orders') }}
    group by delivery_date

)

select
    delivery_date,
    open_orders,
    items,
    quantity,
    order_value,
    row_number() over (order by open_orders desc, delivery_date asc) as place,
    rank() over (order by open_orders desc) as order_rank,
    count(*) over (partition by open_orders) > 1 as is_tied
from dates
