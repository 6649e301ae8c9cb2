{{ config(tags=['web']) }}
-- What landed is what is shown: every mart counts the events that silver has, and as many that are not in order.

{%- set rows = {
    'events': 'count(*)',
    'invalid_ips': 'count(case when not is_valid_ip then 1 end)',
    'unknown_actions': 'count(case when not is_known_action then 1 end)'
} %}
{%- set sums = {
    'events': 'sum(events)', 'invalid_ips': 'sum(invalid_ips)', 'unknown_actions': 'sum(unknown_actions)'
} %}
{%- set events = {'events': 'sum(events)'} %}

{{ totals_agree([
    {'layer': 'silver', 'of': [ref('int_web_events')], 'totals': rows},
    {'layer': 'facts', 'of': [ref('fct_web_event')], 'totals': rows},
    {'layer': 'days', 'of': [ref('mart_web_events_daily')], 'totals': sums},
    {'layer': 'months', 'of': [ref('mart_web_events_monthly')], 'totals': sums},
    {'layer': 'years', 'of': [ref('mart_web_events_yearly')], 'totals': sums},
    {'layer': 'users', 'of': [ref('mart_web_active_users')], 'totals': events},
    {'layer': 'companies', 'of': [ref('mart_web_active_companies')], 'totals': events},
    {'layer': 'countries', 'of': [ref('dim_web_country')], 'totals': events},
    {
        'layer': 'page actions',
        'of': [ref('mart_web_page_actions_monthly')],
        'totals': {'events': 'sum(events)', 'unknown_actions': "sum(case when action = 'Unknown' then events end)"}
    }
]) }}
