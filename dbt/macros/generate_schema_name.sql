{# Where a model lives: prod has the plain layers (bronze, silver, gold), and so has a DuckDB file, which is one person's.
   Every other target has a set of its own (`ann_bronze`, `ci_4711_gold`), so that work in progress reaches no dashboard. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set layer = custom_schema_name or target.schema -%}
    {%- if target.name.split('_')[0] in ['prod', 'duckdb', 'redshift', 'snowflake'] -%}
        {{ layer | trim }}
    {%- else -%}
        {{ modules.re.sub('[^a-z0-9_]', '_', target.schema | lower) }}{{ '_' ~ custom_schema_name | trim if custom_schema_name }}
    {%- endif -%}
{%- endmacro %}
