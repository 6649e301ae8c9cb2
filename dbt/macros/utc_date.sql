{# The day of an instant, in UTC whatever the zone of the session. #}
{% macro utc_date(instant) -%}
    {{ adapter.dispatch('utc_date')(instant) }}
{%- endmacro %}

{% macro default__utc_date(instant) -%}
    cast({{ instant }} at time zone 'UTC' as date)
{%- endmacro %}

{% macro snowflake__utc_date(instant) -%}
    cast(convert_timezone('UTC', {{ instant }}) as date)
{%- endmacro %}
