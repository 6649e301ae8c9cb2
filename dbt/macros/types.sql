{# Types as the warehouses have them: models and contracts name them as Postgres does. #}

{% macro type_of(name) -%}
    {{ adapter.dispatch('type_of')(name) }}
{%- endmacro %}

{% macro default__type_of(name) -%}
    {{ name }}
{%- endmacro %}

{# There, TEXT would be cut off after 256 bytes, and a UUID is the text that the loader makes of it. #}
{% macro redshift__type_of(name) -%}
    {{ {'text': 'varchar(65535)', 'uuid': 'varchar(36)'}.get(name, name) }}
{%- endmacro %}

{% macro snowflake__type_of(name) -%}
    {{ {'uuid': 'varchar(36)'}.get(name, name) }}
{%- endmacro %}


{# What dbt itself calls a text. #}
{% macro redshift__type_string() -%}
    {{ return(type_of('text')) }}
{%- endmacro %}


{#
Columns that a contract promises, with their types as Redshift and Snowflake have them. Of the constraints these enforce NOT
NULL alone; Redshift's planner would trust the others all the same, so they are left to tests.
#}
{% macro columns_here(columns) -%}
    {%- set translated = {} -%}
    {%- for name, column in columns.items() -%}
        {%- set enforced = [] -%}
        {%- for constraint in column.get('constraints') or [] if constraint['type'] in ['not_null', 'primary_key'] -%}
            {%- do enforced.append({'type': 'not_null'}) if not enforced -%}
        {%- endfor -%}
        {%- do translated.update(
            {name: dict(column, data_type=type_of(column['data_type']), constraints=enforced)}
        ) -%}
    {%- endfor -%}
    {{ return(translated) }}
{%- endmacro %}

{% macro promised_columns() -%}
    (
    {%- for column in adapter.render_raw_columns_constraints(raw_columns=columns_here(model['columns'])) %}
        {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}

{% macro redshift__get_table_columns_and_constraints() -%}
    {{ promised_columns() }}
{%- endmacro %}

{% macro snowflake__get_table_columns_and_constraints() -%}
    {{ promised_columns() }}
{%- endmacro %}

{% macro snowflake__get_empty_schema_sql(columns) -%}
    {{ return(default__get_empty_schema_sql(columns_here(columns))) }}
{%- endmacro %}

{% macro redshift__get_empty_schema_sql(columns) -%}
    {{ return(default__get_empty_schema_sql(columns_here(columns))) }}
{%- endmacro %}

{# A literal has no type of its own until it is stored. #}
{% macro redshift__format_column(column) -%}
    {%- set data_type = 'VARCHAR' if column.dtype | upper in ('UNKNOWN', 'TEXT', 'VARCHAR') else column.dtype -%}
    {{ return({'name': column.name, 'data_type': data_type, 'formatted': column.column.lower() ~ ' ' ~ data_type}) }}
{%- endmacro %}

{# dbt's own casts to what it calls a string, whatever `type_string` says. #}
{% macro redshift__hash(field) -%}
    md5({{ field }})
{%- endmacro %}

{# Rows that wait for a moment promise nothing: of what is gone, they have nulls beside the key. #}
{% macro redshift__get_create_table_as_sql(temporary, relation, sql) -%}
    {%- if temporary -%}
    create temporary table {{ relation.include(database=false, schema=false) }} as (
        {{ sql }}
    )
    {%- else -%}
    {{ default__get_create_table_as_sql(temporary, relation, sql) }}
    {%- endif -%}
{%- endmacro %}

{# Rows of unit tests may hold nulls: dbt casts them to the types of the columns that they stand for. #}
{% macro redshift__validate_fixture_rows(rows, row_number) -%}{%- endmacro %}
