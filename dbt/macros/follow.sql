{#
Headers of the models that follow others instead of being built whole each time. Each says how rows are replaced, and
keeps the marks of what the model has seen: load_marks.sql, touched_days.sql.

    follow_loads          silver: rows of the loads' keys are replaced
    follow_builds         marts: the days, months or years that a build of silver has touched are counted again
    write_differences     small models, counted whole at each build: only rows that differ are written
#}

{#
On Redshift each hook commits alone: it locks the table of all marks as a whole, and models would wait for each other.
A mark is noted before the model's rows and made after them, so they need not share a transaction
(docs/decisions/0039-marks-come-after-rows.md).
#}
{% macro hooks(statements) -%}
    {%- set found = [] -%}
    {%- for statement in statements -%}
        {%- do found.append({'sql': statement, 'transaction': target.type != 'redshift'}) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{# `touches` is the column whose days marts follow; `through` names models that have followed the dataset before. #}
{% macro follow_loads(datasets, key, touches=none, indexes=[], through=[]) -%}
    {%- set marks = [] -%}
    {%- for dataset in listed(datasets) -%}
        {%- do marks.append(
            "{{ open_build_mark('" ~ dataset ~ "', through=" ~ through ~ ") }}" if through
            else "{{ open_load_marks('" ~ dataset ~ "') }}"
        ) -%}
    {%- endfor -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='by_load',
        unique_key=key,
        meta={'touches': touches} if touches else {},
        indexes=indexes,
        pre_hook=hooks(
            ["{{ create_load_marks() }}"] + (["{{ create_touched_days() }}"] if touches else [])
            + marks + (["{{ open_touched_days() }}"] if touches else [])
        ),
        post_hook=hooks(
            (["{{ save_touched_days('" ~ touches ~ "') }}"] if touches else []) + ["{{ save_load_marks() }}"]
        )
    ) }}
{%- endmacro %}

{# `by` is the period, or what else is counted again as a whole; `counts` the column that is null where nothing is left. #}
{% macro follow_builds(model_name, by, counts='events', through=[], indexed=true) -%}
    {{ config(
        contract={'enforced': true},
        materialized='incremental',
        incremental_strategy='by_period',
        unique_key=by,
        meta={'counts': counts},
        indexes=[{'columns': listed(by)}] if indexed else [],
        pre_hook=hooks(["{{ open_build_mark('" ~ model_name ~ "', through=" ~ through ~ ") }}"]),
        post_hook=hooks(["{{ save_load_marks() }}"])
    ) }}
{%- endmacro %}

{# A model of silver promises no columns to others: `is_public=false`. #}
{% macro write_differences(model_name, key, through=[], is_public=true) -%}
    {{ config(
        contract={'enforced': is_public},
        materialized='incremental',
        incremental_strategy='by_difference',
        unique_key=key,
        pre_hook=hooks(
            ["{{ create_load_marks() }}", "{{ open_build_mark('" ~ model_name ~ "', through=" ~ through ~ ") }}"]
        ),
        post_hook=hooks(["{{ save_load_marks() }}"])
    ) }}
{%- endmacro %}


{# The rows of a dataset that a run has to build, as a subquery: rows_after, for a model with the header above. #}
{% macro loaded_rows(dataset, key) -%}
    {{ rows_after(load_mark(dataset), ref('stg_' ~ dataset), ref('stg_' ~ dataset ~ '__changes'), key) }}
{%- endmacro %}

{# The rows that a mart has to count again, as a subquery: periods_after, likewise. `rows` are those of the model itself. #}
{% macro touched_rows(model_name, day, period=none, grain='day', rows=none) -%}
    {{ periods_after(build_mark(model_name), model_name, rows or ref(model_name), day, period or day, grain) }}
{%- endmacro %}
