{{ config(contract={'enforced': true}) }}

{{ data_range(
    'fleet', ref('mart_fleet_vehicle_updates_daily'), 'position_date', 'position_date',
    'position_date <= ' ~ last_possible_day()
) }}
