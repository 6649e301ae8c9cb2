{{ config(contract={'enforced': true}) }}

{{ data_range('web', ref('mart_web_events_daily'), 'event_date', 'event_date') }}
