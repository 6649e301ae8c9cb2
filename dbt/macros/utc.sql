{# Instants as they are in UTC, whatever the zone of the session; and moments as text. #}

{# An instant as a timestamp without a zone. #}
{% macro utc_time(instant) -%}
    {{ adapter.dispatch('utc_time')(instant) }}
{%- endmacro %}

{% macro default__utc_time(instant) -%}
    {{ instant }} at time zone 'UTC'
{%- endmacro %}

{% macro snowflake__utc_time(instant) -%}
    convert_timezone('UTC', {{ instant }})
{%- endmacro %}

{# The day of an instant. #}
{% macro utc_date(instant) -%}
    cast({{ utc_time(instant) }} as date)
{%- endmacro %}

{# A day or timestamp as text; the pattern is made of YYYY, MM, DD, HH24, MI and SS. #}
{% macro time_text(moment, pattern) -%}
    {{ adapter.dispatch('time_text')(moment, pattern) }}
{%- endmacro %}

{% macro default__time_text(moment, pattern) -%}
    to_char({{ moment }}, '{{ pattern }}')
{%- endmacro %}

{% macro snowflake__time_text(moment, pattern) -%}
    to_char(cast({{ moment }} as timestamp_ntz), '{{ pattern }}')
{%- endmacro %}

{% macro duckdb__time_text(moment, pattern) -%}
    {%- set codes = {'YYYY': '%Y', 'MM': '%m', 'DD': '%d', 'HH24': '%H', 'MI': '%M', 'SS': '%S'} -%}
    {%- set format = namespace(text=pattern) -%}
    {%- for name, code in codes.items() -%}
        {%- set format.text = format.text | replace(name, code) -%}
    {%- endfor -%}
    strftime({{ moment }}, '{{ format.text }}')
{%- endmacro %}

{# An instant, given in milliseconds since 1970. #}
{% macro from_milliseconds(milliseconds) -%}
    {{ adapter.dispatch('from_milliseconds')(milliseconds) }}
{%- endmacro %}

{% macro default__from_milliseconds(milliseconds) -%}
    (cast('1970-01-01 00:00:00+00' as timestamptz) + {{ milliseconds }} * interval '1 millisecond')
{%- endmacro %}

{% macro snowflake__from_milliseconds(milliseconds) -%}
    dateadd(millisecond, {{ milliseconds }}, cast('1970-01-01 00:00:00 +00:00' as timestamptz))
{%- endmacro %}

{% macro duckdb__from_milliseconds(milliseconds) -%}
    make_timestamptz({{ milliseconds }} * 1000)
{%- endmacro %}

{# Hours from an instant to now. #}
{% macro hours_since(instant) -%}
    {{ adapter.dispatch('hours_since')(instant) }}
{%- endmacro %}

{% macro default__hours_since(instant) -%}
    extract(epoch from (current_timestamp - {{ instant }})) / 3600.0
{%- endmacro %}

{# CURRENT_TIMESTAMP is known to its leader node alone. #}
{% macro redshift__hours_since(instant) -%}
    datediff(second, {{ utc_time(instant) }}, getdate()) / 3600.0
{%- endmacro %}

{% macro snowflake__hours_since(instant) -%}
    datediff(second, {{ instant }}, current_timestamp) / 3600.0
{%- endmacro %}

{# This day. #}
{% macro utc_today() -%}
    {{ adapter.dispatch('utc_today')() }}
{%- endmacro %}

{% macro default__utc_today() -%}
    {{ utc_date('current_timestamp') }}
{%- endmacro %}

{% macro redshift__utc_today() -%}
    cast(getdate() as date)
{%- endmacro %}
