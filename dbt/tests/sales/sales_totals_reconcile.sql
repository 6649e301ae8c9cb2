{{ config(tags=['sales']) }}
-- What landed is what is shown: facts and every mart hold the sales that bronze has, and the same money and pieces.

{%- set landed -%}
(
    select transaction_id from {{ ref('stg_customer_transactions') }}
    union
    select transaction_id from {{ ref('stg_transaction_restatements') }}
) as landed
{%- endset %}
{%- set rows = {
    'sales': 'count(*)',
    'uncounted_transactions': 'count(case when not is_counted then 1 end)',
    'missing_quantities': 'count(case when quantity is null then 1 end)',
    'pieces': 'sum(case when is_counted then quantity end)',
    'tax': 'sum(tax)'
} %}
{%- set sums = {
    'sales': 'sum(transactions)',
    'uncounted_transactions': 'sum(uncounted_transactions)',
    'missing_quantities': 'sum(missing_quantities)',
    'pieces': 'sum(quantity)',
    'revenue': 'sum(revenue)',
    'tax': 'sum(tax) + sum(uncounted_tax)'
} %}

{{ totals_agree([
    {'layer': 'bronze', 'of': [landed], 'totals': {'sales': 'count(*)'}, 'followed_by': ['int_sales_transactions']},
    {
        'layer': 'silver',
        'of': [ref('int_sales_transactions')],
        'totals': dict(rows, revenue='sum(quantity * price)')
    },
    {'layer': 'facts', 'of': [ref('fct_sales_transaction')], 'totals': dict(rows, revenue='sum(revenue)')},
    {'layer': 'missing', 'of': [ref('missing_quantity')], 'totals': {'missing_quantities': 'count(*)'}},
    {'layer': 'months', 'of': [ref('mart_sales_by_month')], 'totals': sums},
    {'layer': 'countries', 'of': [ref('mart_sales_by_country')], 'totals': sums},
    {'layer': 'customers', 'of': [ref('mart_sales_by_customer')], 'totals': sums},
    {'layer': 'products', 'of': [ref('mart_sales_by_product')], 'totals': sums}
]) }}
