{# Where a model lives: prod has the plain layers (bronze, silver, gold), every other target a set of its own
   (`ann_bronze`, `ci_4711_gold`), so that nobody's work in progress reaches a dashboard. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set layer = custom_schema_name or target.schema -%}
    {%- if target.name.split('_')[0] == 'prod' -%}
        {{ layer | trim }}
    {%- else -%}
        {{ modules.re.sub('[^a-z0-9_]', '_', target.schema | lower) }}{{ '_' ~ custom_schema_name | trim if custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
