{{ config(
    materialized='incremental',
    incremental_strategy='by_period',
    unique_key='year_start',
    pre_hook="{{ open_build_mark('int_web_events', through=[
        'mart_web_events_monthly',
        'mart_web_active_users_monthly',
        'mart_web_active_companies_monthly',
        'mart_web_active_countries_monthly'
    ]) }}",
    post_hook="{{ save_load_marks() }}"
) }}

{{ web_events_of_period(
    'year_start',
    'year',
    finer=ref('mart_web_events_monthly'),
    day='month_start',
    users=ref('mart_web_active_users_monthly'),
    companies=ref('mart_web_active_companies_monthly'),
    countries=ref('mart_web_active_countries_monthly')
) }}
