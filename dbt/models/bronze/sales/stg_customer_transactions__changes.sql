-- Made by dbt/generate.py from contracts/sales/customer_transactions.odcs.yaml; change that,
-- then run `make generate`.

with

brought as (

    select
        transaction_id,
        _load_id,
        false as is_taken
    from {{ source('sales', 'customer_transactions') }}

),

taken as (

    select
        transaction_id,
        _by_load_id as _load_id,
        true as is_taken
    from {{ source('sales', 'customer_transactions__history') }}

)

select * from brought
union all
select * from taken
