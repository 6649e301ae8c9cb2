{{ config(tags=['fleet']) }}
-- What landed is what is shown: bronze, silver and gold have the same events, and gold the same kilometres everywhere.

{%- set kinds = ['int_fleet_positions', 'int_fleet_registrations', 'int_fleet_period_events'] %}
{%- set events = {'events': 'count(*)'} %}
{%- set updates = {'updates': 'sum(updates)'} %}
{%- set distance = {'distance_km': 'sum(distance_km)'} %}

{{ totals_agree([
    {'layer': 'bronze', 'of': [ref('stg_vehicle_events')], 'totals': events, 'followed_by': kinds},
    {
        'layer': 'silver',
        'of': [ref('int_fleet_positions'), ref('int_fleet_registrations'), ref('int_fleet_period_events')],
        'totals': events
    },
    {'layer': 'positions', 'of': [ref('int_fleet_positions')], 'totals': {'updates': 'count(*)'}},
    {'layer': 'days', 'of': [ref('mart_fleet_vehicle_updates_daily')], 'totals': updates},
    {'layer': 'vehicles', 'of': [ref('mart_fleet_vehicle_updates')], 'totals': updates},
    {'layer': 'distances', 'of': [ref('mart_fleet_vehicle_distances')], 'totals': distance},
    {'layer': 'periods', 'of': [ref('mart_fleet_operating_periods')], 'totals': distance},
    {'layer': 'average', 'of': [ref('mart_fleet_average_distance')], 'totals': distance}
]) }}
