{#
A calendar: one row a line of `spans` and day between its two dates, both included, as a subquery with the columns
`key` and `as_column`. Quiet days appear too, which is what carrying a balance forward needs.
#}
{% macro each_day(spans, key, first_day, last_day, as_column) %}
    {{- adapter.dispatch('each_day')(spans, key, first_day, last_day, as_column) -}}
{% endmacro %}

{% macro default__each_day(spans, key, first_day, last_day, as_column) -%}
    (
        with recursive calendar (calendar_day, final_day) as (
            select min({{ first_day }}), max({{ last_day }}) from {{ spans }}
            union all
            select cast({{ dbt.dateadd('day', 1, 'calendar_day') }} as date), final_day
            from calendar
            where calendar_day < final_day
        )
        select spans.{{ key }}, calendar.calendar_day as {{ as_column }}
        from {{ spans }} as spans
        inner join calendar on calendar.calendar_day between spans.{{ first_day }} and spans.{{ last_day }}
    )
{%- endmacro %}

{% macro postgres__each_day(spans, key, first_day, last_day, as_column) -%}
    (
        select spans.{{ key }}, cast(spread.calendar_day as date) as {{ as_column }}
        from {{ spans }} as spans
        cross join lateral generate_series(
            cast(spans.{{ first_day }} as timestamp), spans.{{ last_day }}, interval '1 day'
        ) as spread (calendar_day)
    )
{%- endmacro %}
