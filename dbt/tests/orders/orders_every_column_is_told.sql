{{ config(severity='warn', store_failures=true, tags=['orders']) }}
-- Columns without a value in rows of now: the source has renamed or dropped them, or tells no whole rows.
-- Of those alone without which an answer is wrong, however good its numbers look.
{%- set needed = [
    ('customers', 'customer_name'),
    ('products', 'product_name'),
    ('orders', 'delivery_date'),
    ('orders', 'customer_id'),
    ('orders', 'status'),
    ('order_items', 'order_id'),
    ('order_items', 'product_id'),
    ('order_items', 'quantity')
] %}

{% for table, column in needed %}
    select
        '{{ table }}' as source_table,
        '{{ column }}' as column_name,
        count(*) as rows_without
    from {{ ref('int_orders_' ~ table) }}
    where {{ column }} is null
    having count(*) > 0
    {{ 'union all' if not loop.last }}
{% endfor %}
