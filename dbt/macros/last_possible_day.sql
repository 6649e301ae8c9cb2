{# The last day (UTC) that a clock can truthfully tell: tomorrow, for machines disagree around midnight. #}
{% macro last_possible_day() -%}
    {{ dbt.dateadd('day', 1, utc_today()) }}
{%- endmacro %}
