{#
A calendar: one row a line of `spans` and day between its two dates, both included, as a subquery with the columns
`key` and `as_column`. Quiet days appear too, which is what carrying a balance forward needs.
#}
{% macro each_day(spans, key, first_day, last_day, as_column) %}
    {{- adapter.dispatch('each_day')(spans, key, first_day, last_day, as_column) -}}
{% endmacro %}

{# Days are counted, up to 100,000 of them: neither recursion nor a series function is common to the warehouses. #}
{% macro default__each_day(spans, key, first_day, last_day, as_column) -%}
    (
        with digits as (
            {% for digit in range(10) %}select {{ digit }} as digit{{ ' union all ' if not loop.last }}{% endfor %}
        ),

        day_numbers as (
            select a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit as day_number
            from digits as a
            cross join digits as b
            cross join digits as c
            cross join digits as d
            cross join digits as e
        )

        select
            spans.{{ key }},
            cast({{ dbt.dateadd('day', 'day_numbers.day_number', 'spans.' ~ first_day) }} as date) as {{ as_column }}
        from {{ spans }} as spans
        inner join day_numbers
            on day_numbers.day_number <= {{ dbt.datediff('spans.' ~ first_day, 'spans.' ~ last_day, 'day') }}
    ) as every_day
{%- endmacro %}

{% macro postgres__each_day(spans, key, first_day, last_day, as_column) -%}
    (
        select spans.{{ key }}, cast(spread.calendar_day as date) as {{ as_column }}
        from {{ spans }} as spans
        cross join lateral generate_series(
            cast(spans.{{ first_day }} as timestamp), spans.{{ last_day }}, interval '1 day'
        ) as spread (calendar_day)
    ) as every_day
{%- endmacro %}

{# Its `generate_series` runs on the leader node alone, which has no tables. #}
{% macro redshift__each_day(spans, key, first_day, last_day, as_column) -%}
    {{ default__each_day(spans, key, first_day, last_day, as_column) }}
{%- endmacro %}
