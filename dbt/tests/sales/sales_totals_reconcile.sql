{{ config(tags=['sales']) }}
-- What landed is what is shown: facts and every mart hold the sales that bronze has, and the same money and pieces.
-- Bronze is raw as it is now, so it is compared only while no load is newer than those that silver has followed.

{%- set sums -%}
    sum(transactions) as sales,
    sum(uncounted_transactions) as uncounted_transactions,
    sum(missing_quantities) as missing_quantities,
    sum(quantity) as pieces,
    sum(revenue) as revenue,
    sum(tax) + sum(uncounted_tax) as tax
{%- endset %}

with

loads_to_come as (

    {{ loads_to_come(['int_sales_transactions']) }}

),

landed_keys as (

    select transaction_id from {{ ref('stg_customer_transactions') }}
    union
    select transaction_id from {{ ref('stg_transaction_restatements') }}

),

landed as (

    select
        (select count(*) from landed_keys) as bronze_sales,
        count(*) as sales,
        count(case when not is_counted then 1 end) as uncounted_transactions,
        count(case when quantity is null then 1 end) as missing_quantities,
        sum(case when is_counted then quantity end) as pieces,
        sum(quantity * price) as revenue,
        sum(tax) as tax
    from {{ ref('int_sales_transactions') }}

),

facts as (

    select
        'fct_sales_transaction' as relation,
        count(*) as sales,
        count(case when not is_counted then 1 end) as uncounted_transactions,
        (select count(*) from {{ ref('missing_quantity') }}) as missing_quantities,
        sum(case when is_counted then quantity end) as pieces,
        sum(revenue) as revenue,
        sum(tax) as tax
    from {{ ref('fct_sales_transaction') }}

),

months as (

    select
        'mart_sales_by_month' as relation,
        {{ sums }}
    from {{ ref('mart_sales_by_month') }}

),

countries as (

    select
        'mart_sales_by_country' as relation,
        {{ sums }}
    from {{ ref('mart_sales_by_country') }}

),

customers as (

    select
        'mart_sales_by_customer' as relation,
        {{ sums }}
    from {{ ref('mart_sales_by_customer') }}

),

products as (

    select
        'mart_sales_by_product' as relation,
        {{ sums }}
    from {{ ref('mart_sales_by_product') }}

),

shown as (

    select * from facts
    union all
    select * from months
    union all
    select * from countries
    union all
    select * from customers
    union all
    select * from products

)

select shown.*
from shown
cross join landed
where
    (landed.bronze_sales <> landed.sales and not exists (select 1 from loads_to_come))
    or coalesce(shown.sales, 0) <> landed.sales
    or coalesce(shown.uncounted_transactions, 0) <> landed.uncounted_transactions
    or coalesce(shown.missing_quantities, 0) <> landed.missing_quantities
    or coalesce(shown.pieces, 0) <> coalesce(landed.pieces, 0)
    or coalesce(shown.revenue, 0) <> coalesce(landed.revenue, 0)
    or coalesce(shown.tax, 0) <> coalesce(landed.tax, 0)
