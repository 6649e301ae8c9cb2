{# What models read of the loader's ledger beside their load marks: the marts of the platform look at all of it. #}

{# Which drop outranks which: drops follow one another by this text, and not by number. #}
{% macro drop_ranks() -%}
    select drop_id, rank from {{ source('ops', 'drops') }}
{%- endmacro %}

{# When each load was committed. #}
{% macro load_times() -%}
    select load_id, ended_at from {{ source('ops', 'loads') }}
{%- endmacro %}
