-- Made by dbt/generate.py from contracts/web/events.odcs.yaml; change that,
-- then run `make generate`.

with

brought as (

    select
        event_id,
        _load_id,
        false as is_taken
    from {{ source('web', 'events') }}

),

taken as (

    select
        event_id,
        _by_load_id as _load_id,
        true as is_taken
    from {{ source('web', 'events__history') }}

)

select * from brought
union all
select * from taken
