{# Decimals where the warehouses count differently. #}

{# A floating-point number as a decimal, rounded as it is written: 1.005 becomes 1.01. #}
{% macro decimal_of(number, precision, scale) -%}
    {{ adapter.dispatch('decimal_of')(number, precision, scale) }}
{%- endmacro %}

{% macro default__decimal_of(number, precision, scale) -%}
    cast({{ number }} as numeric({{ precision }}, {{ scale }}))
{%- endmacro %}

{# DuckDB rounds the binary number, which is a little less than 1.005. #}
{% macro duckdb__decimal_of(number, precision, scale) -%}
    cast(cast({{ number }} as varchar) as numeric({{ precision }}, {{ scale }}))
{%- endmacro %}


{# The mean of decimals with six digits behind the point, none below zero: their sum by their number. Null for none. #}
{% macro mean(total, count) -%}
    {{ adapter.dispatch('mean')(total, count) }}
{%- endmacro %}

{% macro default__mean(total, count) -%}
    cast({{ total }} / nullif({{ count }}, 0) as numeric(18, 6))
{%- endmacro %}

{# DuckDB divides decimals as floating-point numbers: whole millionths divide exactly. #}
{% macro duckdb__mean(total, count) -%}
    cast(
        (cast({{ total }} * 2000000 as hugeint) + {{ count }}) // nullif(2 * {{ count }}, 0) * 0.000001 as numeric(18, 6)
    )
{%- endmacro %}

{# Redshift cuts a quotient's decimals by the precision of both operands; a division of whole millionths is also exact there. #}
{% macro redshift__mean(total, count) -%}
    cast(
        (cast(cast({{ total }} as numeric(18, 6)) * 2000000 as bigint) + cast({{ count }} as bigint))
        / nullif(2 * cast({{ count }} as bigint), 0) * 0.000001 as numeric(18, 6)
    )
{%- endmacro %}
