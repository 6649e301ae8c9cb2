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
    cast(try_parse_json({{ object }}):{{ field }} as varchar)
{%- endmacro %}


{# A text as the type that it should be of; null where it can't be read as one. #}
{% macro try_cast(text, type) -%}
    {{ adapter.dispatch('try_cast')(text, type) }}
{%- endmacro %}

{% macro default__try_cast(text, type) -%}
    try_cast({{ text }} as {{ type }})
{%- endmacro %}

{# Others read 1.5 and 1e3 as whole numbers, and not every word that Postgres has for yes and no. #}
{% macro duckdb__try_cast(text, type) -%}
    {{ exact_try_cast(text, type) }}
{%- endmacro %}

{# Of a blank, its TRY_CAST is not null but an error. #}
{% macro redshift__try_cast(text, type) -%}
    {{ exact_try_cast("nullif(trim(" ~ text ~ "), '')", type) }}
{%- endmacro %}

{% macro snowflake__try_cast(text, type) -%}
    {{ exact_try_cast(text, type) }}
{%- endmacro %}

{% macro exact_try_cast(text, type) -%}
    {%- if type == 'boolean' -%}
    case
        when lower(trim({{ text }})) in ('t', 'tr', 'tru', 'true', 'y', 'ye', 'yes', 'on', '1') then true
        when lower(trim({{ text }})) in ('f', 'fa', 'fal', 'fals', 'false', 'n', 'no', 'of', 'off', '0') then false
    end
    {%- elif type == 'bigint' -%}
    try_cast(case when {{ matches(text, ' *[+-]?[0-9]+ *') }} then {{ text }} end as bigint)
    {%- else -%}
    try_cast({{ text }} as {{ type }})
    {%- endif -%}
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
