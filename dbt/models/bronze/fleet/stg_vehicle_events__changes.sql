-- Made by dbt/generate.py from contracts/fleet/vehicle_events.odcs.yaml; change that,
-- then run `make generate`.

with

brought as (

    select
        occurred_at,
        subject_id,
        event,
        subject,
        organization_id,
        _load_id,
        false as is_taken
    from {{ source('fleet', 'vehicle_events') }}

),

taken as (

    select
        occurred_at,
        subject_id,
        event,
        subject,
        organization_id,
        _by_load_id as _load_id,
        true as is_taken
    from {{ source('fleet', 'vehicle_events__history') }}

)

select * from brought
union all
select * from taken
