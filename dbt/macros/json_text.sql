{# The value of a JSON object's field as text; null where the object, the field or its value is missing. #}
{% macro json_text(object, field) -%}
    {{ adapter.dispatch('json_text')(object, field) }}
{%- endmacro %}

{% macro default__json_text(object, field) -%}
    cast({{ object }} as json) ->> '{{ field }}'
{%- endmacro %}

{# Redshift answers '' for all that is missing, so there an empty text is missing, too. #}
{% macro redshift__json_text(object, field) -%}
    nullif(json_extract_path_text({{ object }}, '{{ field }}', true), '')
{%- endmacro %}

{% macro snowflake__json_text(object, field) -%}
    cast(get(try_parse_json({{ object }}), '{{ field }}') as varchar)
{%- endmacro %}


{# A text as the type that it should be of; null where it can't be read as one. #}
{% macro try_cast(text, type) -%}
    {{ adapter.dispatch('try_cast')(text, type) }}
{%- endmacro %}

{% macro default__try_cast(text, type) -%}
    try_cast({{ text }} as {{ type }})
{%- endmacro %}

{% macro postgres__try_cast(text, type) -%}
    cast(case when pg_input_is_valid({{ text }}, '{{ type }}') then {{ text }} end as {{ type }})
{%- endmacro %}


{#
Fields of a JSON object as typed columns, named after the object: `after_customer_id`. One value that can't be read is
null, and no end of all builds.
#}
{% macro json_columns(object, types) -%}
    {%- for field, type in types.items() -%}
    {%- set text = json_text(object, field) -%}
    {{ text if type == 'text' else try_cast(text, type) }} as {{ object }}_{{ field }}{{ ',\n    ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}


{# An instant, told in milliseconds since 1970. #}
{% macro from_milliseconds(milliseconds) -%}
    {{ adapter.dispatch('from_milliseconds')(milliseconds) }}
{%- endmacro %}

{% macro default__from_milliseconds(milliseconds) -%}
    (cast('1970-01-01 00:00:00+00' as timestamptz) + {{ milliseconds }} * interval '1 millisecond')
{%- endmacro %}

{% macro snowflake__from_milliseconds(milliseconds) -%}
    to_timestamp_tz({{ milliseconds }}, 3)
{%- endmacro %}
