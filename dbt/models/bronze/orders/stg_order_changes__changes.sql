-- Made by dbt/generate.py from contracts/orders/order_changes.odcs.yaml; change that,
-- then run `make generate`.

with

brought as (

    select
        _key as change_id,
        _load_id,
        false as is_taken
    from {{ source('orders', 'order_changes') }}

),

taken as (

    select
        _key as change_id,
        _by_load_id as _load_id,
        true as is_taken
    from {{ source('orders', 'order_changes__history') }}

)

select * from brought
union all
select * from taken
