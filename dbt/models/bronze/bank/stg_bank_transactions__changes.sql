-- Made by dbt/generate.py from contracts/bank/bank_transactions.odcs.yaml; change that,
-- then run `make generate`.

with

brought as (

    select
        _key as movement_id,
        _load_id,
        false as is_taken
    from {{ source('bank', 'bank_transactions') }}

),

taken as (

    select
        _key as movement_id,
        _by_load_id as _load_id,
        true as is_taken
    from {{ source('bank', 'bank_transactions__history') }}

)

select * from brought
union all
select * from taken
