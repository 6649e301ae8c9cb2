{{ follow_builds(
    'int_web_events',
    by='month_start',
    through=[
        'mart_web_events_daily',
        'mart_web_active_users_monthly',
        'mart_web_active_companies_monthly',
        'mart_web_active_countries_monthly'
    ],
    indexed=false
) }}

{{ web_events_of_period(
    'month_start',
    'month',
    finer=ref('mart_web_events_daily'),
    day='event_date',
    users=ref('mart_web_active_users_monthly'),
    companies=ref('mart_web_active_companies_monthly'),
    countries=ref('mart_web_active_countries_monthly')
) }}
