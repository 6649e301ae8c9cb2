{{ config(materialized='view') }}

with

history as (

    select * from {{ ref('int_orders_products_history') }}

)

select
    product_id,
    product_name,
    barcode,
    unit_price,
    is_active,
    updated_at,
    updated_by,
    created_at,
    created_by,
    op,
    valid_from,
    valid_from_lsn,
    valid_from_ordinal,
    change_id,
    _load_id
from history
where is_current
