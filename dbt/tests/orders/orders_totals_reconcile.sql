{{ config(tags=['orders']) }}
-- What landed is what is shown: every change of bronze is in the histories, and silver's rows of now are those of gold.
-- Bronze is raw as it is now, so it is compared only while no load is newer than those that silver has followed.

with

loads_to_come as (

    {{ loads_to_come(['int_orders_changes']) }}

),

log as (

    select
        count(distinct change_id) as changes,
        count(case when is_there then 1 end) as versions
    from {{ ref('int_orders_changes') }}

),

versions as (

    select count(*) as versions from {{ ref('int_orders_customers_history') }}
    union all
    select count(*) as versions from {{ ref('int_orders_products_history') }}
    union all
    select count(*) as versions from {{ ref('int_orders_orders_history') }}
    union all
    select count(*) as versions from {{ ref('int_orders_order_items_history') }}

),

orders as (

    select
        count(*) as orders,
        count(case when {{ orders_is_open('status') }} then 1 end) as open_orders,
        count(case when {{ orders_is_pending('status') }} then 1 end) as pending_orders
    from {{ ref('int_orders_orders') }}

),

items as (

    select
        count(*) as items,
        sum(quantity) as quantity
    from {{ ref('int_orders_order_items') }}

),

order_facts as (

    select
        count(*) as orders,
        sum(case when is_pending then items end) as pending_items,
        sum(case when is_pending then quantity end) as pending_quantity
    from {{ ref('fct_orders_order') }}

),

item_facts as (

    select
        count(*) as items,
        sum(quantity) as quantity
    from {{ ref('fct_orders_order_item') }}

),

marts as (

    select
        (select sum(orders) from {{ ref('mart_orders_open_orders') }}) as open_orders,
        (select sum(open_orders) from {{ ref('mart_orders_delivery_dates') }}) as orders_of_dates,
        (select sum(pending_orders) from {{ ref('mart_orders_pending_customers') }}) as pending_orders,
        (select sum(items) from {{ ref('mart_orders_pending_products') }}) as pending_items,
        (select sum(quantity) from {{ ref('mart_orders_pending_products') }}) as pending_quantity

),

bronze as (

    select count(*) as changes from {{ ref('stg_order_changes') }}

)

select
    log.changes,
    orders.orders,
    items.items,
    marts.open_orders,
    marts.pending_orders
from log
cross join orders
cross join items
cross join order_facts
cross join item_facts
cross join marts
cross join bronze
where
    (log.changes <> bronze.changes and not exists (select 1 from loads_to_come))
    or log.versions <> (select sum(versions) from versions)
    or orders.orders <> order_facts.orders
    or orders.open_orders <> coalesce(marts.open_orders, 0)
    or orders.open_orders <> coalesce(marts.orders_of_dates, 0)
    or orders.pending_orders <> coalesce(marts.pending_orders, 0)
    or items.items <> item_facts.items
    or coalesce(items.quantity, 0) <> coalesce(item_facts.quantity, 0)
    or coalesce(order_facts.pending_items, 0) <> coalesce(marts.pending_items, 0)
    or coalesce(order_facts.pending_quantity, 0) <> coalesce(marts.pending_quantity, 0)
