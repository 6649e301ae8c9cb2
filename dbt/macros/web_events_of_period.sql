{#
The select of the marts of months and years: sums come from the next finer mart (`finer`, by its `day`); who and what
was active is counted anew, since a person of two months is one person of the year.
#}
{% macro web_events_of_period(period, grain, finer, day, users, companies, countries) %}
{%- set mark = build_mark('int_web_events') -%}
{%- set active = {
    'users': (users, 'email'),
    'companies': (companies, "nullif(company, 'unknown')"),
    'countries': (countries, "nullif(country, 'Unknown')")
} -%}
with

counted as (

    select
        {{ period }},
        cast(sum(events) as bigint) as events,
        cast(sum(invalid_ips) as bigint) as invalid_ips,
        cast(sum(unknown_actions) as bigint) as unknown_actions,
        min({{ day if day == 'event_date' else 'first_event_date' }}) as first_event_date,
        max({{ day if day == 'event_date' else 'last_event_date' }}) as last_event_date
    from {{ periods_after(mark, 'int_web_events', finer, day, period, grain) }}
    group by {{ period }}

){% for what, (mart, name) in active.items() %},

{{ what }} as (

    select
        {{ period }},
        count(distinct {{ name }}) as active
    from {{ periods_after(mark, 'int_web_events', mart, 'month_start', period, grain) }}
    group by {{ period }}

){% endfor %}

select
    counted.{{ period }},
    counted.events,
    {%- for what in active %}
    coalesce({{ what }}.active, 0) as active_{{ what }},
    {%- endfor %}
    counted.invalid_ips,
    counted.unknown_actions,
    counted.first_event_date,
    counted.last_event_date
from counted
{%- for what in active %}
left join {{ what }} on counted.{{ period }} = {{ what }}.{{ period }}
{%- endfor %}
{% endmacro %}
