{{ config(contract={'enforced': true}) }}

with

log as (

    select
        source_table,
        count(distinct change_id) as changes,
        count(case when op = 'd' then 1 end) as deletions,
        count(case when op = 't' then 1 end) as truncations,
        max(changed_at) as last_changed_at,
        max(_load_id) as newest_load_id
    from {{ ref('int_orders_changes') }}
    group by source_table

),

versions as (

    select
        'customers' as source_table,
        is_current
    from {{ ref('int_orders_customers_history') }}
    union all
    select
        'products' as source_table,
        is_current
    from {{ ref('int_orders_products_history') }}
    union all
    select
        'orders' as source_table,
        is_current
    from {{ ref('int_orders_orders_history') }}
    union all
    select
        'order_items' as source_table,
        is_current
    from {{ ref('int_orders_order_items_history') }}

),

counted as (

    select
        source_table,
        count(*) as versions,
        count(case when is_current then 1 end) as rows_now
    from versions
    group by source_table

),

gaps as (

    select
        source_table,
        count(*) as unknown_intervals,
        max(unknown_to) as last_unknown_to
    from {{ ref('int_orders_unknown_history') }}
    group by source_table

),

loads as (

    {{ load_times() }}

)

select
    log.source_table,
    coalesce(counted.rows_now, 0) as rows_now,
    coalesce(counted.versions, 0) as versions,
    log.changes,
    log.deletions,
    log.truncations,
    coalesce(gaps.unknown_intervals, 0) as unknown_intervals,
    gaps.last_unknown_to,
    log.last_changed_at,
    loads.ended_at as loaded_at
from log
left join counted on log.source_table = counted.source_table
left join gaps on log.source_table = gaps.source_table
left join loads on log.newest_load_id = loads.load_id
