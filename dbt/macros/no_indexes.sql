{#
No index but in Postgres, whatever a model's config asks for. Redshift and Snowflake have none. DuckDB's scans skip what
can't match, and its unique index refuses a key that is deleted and inserted again in one transaction, which is what
incremental models do.
#}
{% macro duckdb__create_indexes(relation) %}{% endmacro %}

{% macro redshift__create_indexes(relation) %}{% endmacro %}

{% macro snowflake__create_indexes(relation) %}{% endmacro %}
