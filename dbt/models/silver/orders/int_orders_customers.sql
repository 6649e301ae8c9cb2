{{ config(materialized='view') }}

with

history as (

    select * from {{ ref('int_orders_customers_history') }}

)

select
    customer_id,
    customer_name,
    is_active,
    customer_address,
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
