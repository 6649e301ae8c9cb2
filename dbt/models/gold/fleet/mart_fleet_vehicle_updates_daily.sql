{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='position_date',
    meta={'counts': 'updates'},
    indexes=[{'columns': ['position_date']}],
    pre_hook="{{ open_build_mark('int_fleet_positions') }}",
    post_hook="{{ save_load_marks() }}"
) }}

with

positions as (

    select *
    from {{ periods_after(
        build_mark('int_fleet_positions'),
        'int_fleet_positions',
        rows=ref('int_fleet_positions'),
        day='position_date',
        period='position_date'
    ) }}

)

select
    position_date,
    organization_id,
    vehicle_id,
    nullif(count(vehicle_id), 0) as updates,
    min(located_at) as first_located_at,
    max(located_at) as last_located_at
from positions
group by position_date, organization_id, vehicle_id
