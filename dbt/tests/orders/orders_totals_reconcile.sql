{{ config(tags=['orders']) }}
-- What landed is what is shown: every change of bronze is in the histories, and silver's rows of now are those of gold.

{%- set pending = "sum(case when is_pending then {} end)" %}

{{ totals_agree([
    {
        'layer': 'bronze',
        'of': [ref('stg_order_changes')],
        'totals': {'changes': 'count(*)'},
        'followed_by': ['int_orders_changes']
    },
    {
        'layer': 'log',
        'of': [ref('int_orders_changes')],
        'totals': {'changes': 'count(distinct change_id)', 'versions': 'count(case when is_there then 1 end)'}
    },
    {
        'layer': 'histories',
        'of': [
            ref('int_orders_customers_history'),
            ref('int_orders_products_history'),
            ref('int_orders_orders_history'),
            ref('int_orders_order_items_history')
        ],
        'totals': {'versions': 'count(*)'}
    },
    {
        'layer': 'orders',
        'of': [ref('int_orders_orders')],
        'totals': {
            'orders': 'count(*)',
            'open_orders': 'count(case when ' ~ orders_is_open('status') ~ ' then 1 end)',
            'pending_orders': 'count(case when ' ~ orders_is_pending('status') ~ ' then 1 end)'
        }
    },
    {
        'layer': 'items',
        'of': [ref('int_orders_order_items')],
        'totals': {'items': 'count(*)', 'quantity': 'sum(quantity)'}
    },
    {
        'layer': 'order facts',
        'of': [ref('fct_orders_order')],
        'totals': {
            'orders': 'count(*)',
            'pending_items': pending.format('items'),
            'pending_quantity': pending.format('quantity')
        }
    },
    {
        'layer': 'item facts',
        'of': [ref('fct_orders_order_item')],
        'totals': {'items': 'count(*)', 'quantity': 'sum(quantity)'}
    },
    {'layer': 'open', 'of': [ref('mart_orders_open_orders')], 'totals': {'open_orders': 'sum(orders)'}},
    {'layer': 'dates', 'of': [ref('mart_orders_delivery_dates')], 'totals': {'open_orders': 'sum(open_orders)'}},
    {
        'layer': 'waiting customers',
        'of': [ref('mart_orders_pending_customers')],
        'totals': {'pending_orders': 'sum(pending_orders)'}
    },
    {
        'layer': 'waiting products',
        'of': [ref('mart_orders_pending_products')],
        'totals': {'pending_items': 'sum(items)', 'pending_quantity': 'sum(quantity)'}
    }
]) }}
