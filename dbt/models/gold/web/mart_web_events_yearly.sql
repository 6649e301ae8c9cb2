{{ follow_builds(
    'int_web_events',
    by='year_start',
    through=[
        'mart_web_events_monthly',
        'mart_web_active_users_monthly',
        'mart_web_active_companies_monthly',
        'mart_web_active_countries_monthly'
    ],
    indexed=false
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
