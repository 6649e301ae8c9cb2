{# Texts as literals for `in (…)`. #}
{% macro quoted_list(values) -%}
    {%- for value in values -%}'{{ value | replace("'", "''") }}'{{ ', ' if not loop.last }}{%- endfor -%}
{%- endmacro %}
