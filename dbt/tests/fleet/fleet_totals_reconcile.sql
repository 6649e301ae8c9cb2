{{ config(tags=['fleet']) }}
-- What landed is what is shown: bronze, silver and gold have the same events, and gold the same kilometres everywhere.
-- Bronze is raw as it is now, so it is compared only while no load is newer than those that silver has followed.

with

loads_to_come as (

    {{ loads_to_come(['int_fleet_positions', 'int_fleet_registrations', 'int_fleet_period_events']) }}

),

kinds as (

    select count(*) as rows_of_silver from {{ ref('int_fleet_positions') }}
    union all
    select count(*) as rows_of_silver from {{ ref('int_fleet_registrations') }}
    union all
    select count(*) as rows_of_silver from {{ ref('int_fleet_period_events') }}

),

compared as (

    select
        'events in bronze and silver' as what,
        (select count(*) from {{ ref('stg_vehicle_events') }}) as one,
        (select sum(rows_of_silver) from kinds) as other
    where not exists (select 1 from loads_to_come)
    union all
    select
        'positions in silver and updates of days' as what,
        (select count(*) from {{ ref('int_fleet_positions') }}) as one,
        (select coalesce(sum(updates), 0) from {{ ref('mart_fleet_vehicle_updates_daily') }}) as other
    union all
    select
        'positions in silver and updates of vehicles' as what,
        (select count(*) from {{ ref('int_fleet_positions') }}) as one,
        (select coalesce(sum(updates), 0) from {{ ref('mart_fleet_vehicle_updates') }}) as other
    union all
    select
        'kilometres of vehicles and of periods' as what,
        (select coalesce(sum(distance_km), 0) from {{ ref('mart_fleet_vehicle_distances') }}) as one,
        (select coalesce(sum(distance_km), 0) from {{ ref('mart_fleet_operating_periods') }}) as other
    union all
    select
        'kilometres of periods and over all' as what,
        (select coalesce(sum(distance_km), 0) from {{ ref('mart_fleet_operating_periods') }}) as one,
        (select coalesce(sum(distance_km), 0) from {{ ref('mart_fleet_average_distance') }}) as other

)

select * from compared
where one <> other
