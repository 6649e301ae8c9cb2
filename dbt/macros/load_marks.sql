{#
Load marks: how far each incremental model has followed each dataset's loads.

The ids of a dataset's loads commit in order, so one number says exactly what a relation has seen. A model may follow
another model's builds in the same way (touched_days.sql): they are numbered in order, too.
  1. At compile time `load_mark` reads the mark; the compiled SQL shows it as a plain number.
  2. `open_load_marks` (pre-hook) notes the newest committed load as the next mark *before* the model reads a row.
  3. The model reads changed and gone rows in one statement, hence in one snapshot. Rows of a load that commits
     between 2 and 3 are taken along and redone by the next run, which changes nothing.
  4. `save_load_marks` (post-hook) makes the noted load the mark.
A full refresh goes the same way without a lower bound.

A mark may lag behind the rows, it never runs ahead of them, so these steps need not share a transaction
(docs/decisions/0039-marks-come-after-rows.md). Where they do, as in Postgres and DuckDB, a run that is broken off leaves
nothing, and the lock on the mark's line (2) makes two runs of one model go one after the other. Where each commits
alone, as in Snowflake, the next run does the same keys again. A full refresh that is broken off leaves a mark below zero
where marts follow the model, and the next run replaces all of its rows.
#}

{# One table for all models of a target, in its silver schema. #}
{% macro load_marks() %}
    {{ return(silver_relation('load_marks')) }}
{% endmacro %}

{% macro silver_relation(name) %}
    {{ return(api.Relation.create(
        database=target.database, schema=generate_schema_name('silver', none), identifier=name, type='table'
    )) }}
{% endmacro %}


{% macro create_load_marks() %}
    {{- create_once(load_marks(), [
        'relation ' ~ dbt.type_string() ~ ' not null',
        'dataset ' ~ dbt.type_string() ~ ' not null',
        'load_id ' ~ dbt.type_bigint() ~ ' not null',
        'next_load_id ' ~ dbt.type_bigint() ~ ' not null',
        'primary key (relation, dataset)',
    ]) -}}
{% endmacro %}

{% macro create_once(relation, columns) %}
    {%- if adapter.get_relation(relation.database, relation.schema, relation.identifier) is none -%}
        {{ adapter.dispatch('create_once_sql')(relation, columns) }}
    {%- endif -%}
{% endmacro %}

{% macro default__create_once_sql(relation, columns) %}
    create table if not exists {{ relation }} ({{ columns | join(', ') }})
{% endmacro %}

{# Postgres' `if not exists` fails when two sessions create the table at once: the first models of a fresh warehouse. #}
{% macro postgres__create_once_sql(relation, columns) %}
    select pg_advisory_xact_lock(hashtext('{{ relation }}'));
    {{ default__create_once_sql(relation, columns) }}
{% endmacro %}

{# Of keys that are not enforced, the planner would trust that they hold. #}
{% macro redshift__create_once_sql(relation, columns) %}
    {%- set plain = [] -%}
    {%- for column in columns if not column.startswith('primary key') -%}
        {%- do plain.append(column) -%}
    {%- endfor -%}
    {{ default__create_once_sql(relation, plain) }}
{% endmacro %}

{#
Before all models (dbt_project.yml): on Redshift two of them would make these tables at once, and one of them fail.
#}
{% macro create_first() %}
    {{- adapter.dispatch('create_first')() -}}
{% endmacro %}

{% macro default__create_first() %}{% endmacro %}

{% macro redshift__create_first() %}
    {%- if execute and flags.WHICH in ['run', 'build'] -%}
        {%- set marks, days = create_load_marks(), create_touched_days() -%}
        {%- if marks or days -%}
            {#- Who may make no schemas can't say so of one that is there, either. -#}
            {%- if not adapter.check_schema_exists(target.database, load_marks().schema) %}
    create schema if not exists {{ load_marks().schema }};
            {%- endif %}
    {{ marks }};
    {{ days }}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}


{% macro newest_load(dataset) -%}
    select coalesce(max(load_id), 0) from {{ source('ops', 'loads') }} where dataset = '{{ dataset }}' and state = 'loaded'
{%- endmacro %}


{# The newest load by which `goldworks rebuild` gave a dataset another key. #}
{% macro newest_rekey(dataset) -%}
    select coalesce(max(load_id), 0) from {{ source('ops', 'loads') }} where dataset = '{{ dataset }}' and plan = 'rekey'
{%- endmacro %}


{# Loads that one of the incremental models has not followed yet: until then bronze, which is raw, may have more. #}
{% macro loads_to_come(models) -%}
    select loads.load_id
    from {{ source('ops', 'loads') }} as loads
    inner join {{ load_marks() }} as marks on loads.dataset = marks.dataset
    where
        marks.relation in ({{ quoted_list(models) }})
        and loads.state = 'loaded'
        and loads.load_id > marks.load_id
{%- endmacro %}


{# `newest` is the number that the model will have followed `dataset` to: by default the dataset's newest load. #}
{% macro open_load_marks(dataset, newest=none) %}
    {%- set marks = load_marks() -%}
    insert into {{ marks }} (relation, dataset, load_id, next_load_id)
    select '{{ this.identifier }}', '{{ dataset }}', 0, 0
    where not exists (
        select 1 from {{ marks }} where relation = '{{ this.identifier }}' and dataset = '{{ dataset }}'
    );
    update {{ marks }} set next_load_id = ({{ newest or newest_load(dataset) }})
    where relation = '{{ this.identifier }}' and dataset = '{{ dataset }}'
{% endmacro %}


{% macro save_load_marks() %}
    update {{ load_marks() }} set load_id = next_load_id where relation = '{{ this.identifier }}'
{% endmacro %}


{#
The load that `this` has followed `dataset` to: 0 when it exists without a mark, none when it has to be built whole: at
first, in a full refresh, and after one that was broken off.
#}
{% macro load_mark(dataset, newest=none) %}
    {%- if not is_incremental() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set marks = load_marks() -%}
    {%- if adapter.get_relation(marks.database, marks.schema, marks.identifier) is none -%}
        {{ return(0) }}
    {%- endif -%}
    {%- set found = run_query(
        "select load_id, (" ~ (newest or newest_load(dataset)) ~ ") as newest_load_id, ("
        ~ (0 if newest else newest_rekey(dataset)) ~ ") as rekey_load_id from " ~ marks
        ~ " where relation = '" ~ this.identifier ~ "' and dataset = '" ~ dataset ~ "'"
    ).rows -%}
    {%- set mark, newest_load_id, rekey_load_id = (
        found[0][0] | int, found[0][1] | int, found[0][2] | int
    ) if found else (0, 0, 0) -%}
    {%- if mark < 0 -%}
        {{ return(none) }}
    {%- endif -%}
    {%- if newest_load_id < mark -%}
        {{ exceptions.raise_compiler_error(
            this ~ " has followed " ~ dataset ~ " to load " ~ mark ~ ", but the ledger ends at load " ~ newest_load_id
            ~ ": raw has been made anew\n  dbt build --full-refresh --select " ~ this.identifier ~ "+"
        ) }}
    {%- endif -%}
    {%- if mark < rekey_load_id -%}
        {{ exceptions.raise_compiler_error(
            this ~ " has followed " ~ dataset ~ " to load " ~ mark ~ ", and load " ~ rekey_load_id
            ~ " rebuilt raw with another key: no row can be found by the old one\n  dbt build --full-refresh --select "
            ~ this.identifier ~ "+"
        ) }}
    {%- endif -%}
    {{ return(mark) }}
{% endmacro %}


{#
The rows that a run has to build, as a subquery: every row that a load after `mark` brought, and for every key that one
took away for good nulls beside the key. Without a mark: all rows.
`changes` names the touched keys, one row a key and load (`stg_<dataset>__changes`); `key` is a column or a list of them. Rows are found by their load and keys
that are gone by theirs, so that nothing grows with what is there already.
#}
{% macro rows_after(mark, rows, changes, key) %}
    {%- if mark is none -%}
    {{ rows }}
    {%- else -%}
    (
        select *
        from (select * from {{ rows }} where _load_id > {{ mark }}) as brought
        full join (
            select distinct {% for name in listed(key) %}taken.{{ name }}{{ ', ' if not loop.last }}{% endfor %}
            from {{ changes }} as taken
            where
                taken.is_taken
                and taken._load_id > {{ mark }}
                and not exists (
                    select 1 from {{ rows }} as still
                    where {% for name in listed(key) %}still.{{ name }} = taken.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
                )
        ) as gone using ({{ listed(key) | join(', ') }})
    ) as redone
    {%- endif -%}
{% endmacro %}


{#
Incremental strategy `by_load`: what was touched is taken out, what still exists (has a load) is put in again. A model
with `meta: {touches: <its day>}` notes the days of both (touched_days.sql).
#}
{% macro get_incremental_by_load_sql(arguments) %}
    {%- set day = config.get('meta', {}).get('touches') -%}
    {%- set replaced = has_key_in(arguments['unique_key'], arguments['temp_relation']) -%}
    {%- if day and is_half_refreshed(arguments['target_relation']) -%}
        {%- set replaced = 'true' -%}
    {%- endif -%}
    {%- set touch -%}
        {%- if day -%}
    {{ lock_first(touched_days()) }}
    {{ touch_days(arguments['target_relation'], arguments['temp_relation'], replaced, day) }};
        {%- endif -%}
    {%- endset -%}
    {{ in_one_transaction(touch ~ put_again(arguments, '_load_id', replaced)) }}
{% endmacro %}

{# Whether a full refresh was broken off, so that none of the rows can be trusted. #}
{% macro is_half_refreshed(relation) -%}
    {{ return(run_query(
        "select count(*) from " ~ load_marks() ~ " where relation = '" ~ relation.identifier ~ "' and load_id < 0"
    ).rows[0][0] | int > 0) }}
{%- endmacro %}

{# Statements of which all or none take effect: a row that is deleted and not inserted again can't be found any more. #}
{% macro in_one_transaction(statements) -%}
    {{ adapter.dispatch('in_one_transaction')(statements) }}
{%- endmacro %}

{% macro default__in_one_transaction(statements) -%}
    begin;
    {{ statements }};
    commit
{%- endmacro %}

{# dbt has begun one; with `autocommit`, Postgres takes statements that are sent together as one. #}
{% macro postgres__in_one_transaction(statements) -%}
    {{ statements }}
{%- endmacro %}

{% macro duckdb__in_one_transaction(statements) -%}
    {{ statements }}
{%- endmacro %}

{# dbt's own one, in which the fresh rows were found, is ended: the snapshot is that of this one's first statement. #}
{% macro redshift__in_one_transaction(statements) -%}
    commit;
    {{ default__in_one_transaction(statements) }}
{%- endmacro %}

{# What a transaction begins with that changes a table of all models: on Redshift two at once would end one of them. #}
{% macro lock_first(relation) -%}
    {{ adapter.dispatch('lock_first')(relation) }}
{%- endmacro %}

{% macro default__lock_first(relation) -%}{%- endmacro %}

{% macro redshift__lock_first(relation) -%}
    lock table {{ relation }};
{%- endmacro %}

{# A key's columns, of which a config or an argument may name one alone. #}
{% macro listed(key) %}
    {{ return([key] if key is string else key) }}
{% endmacro %}

{# The condition that a row's key is among those of `fresh`. #}
{% macro has_key_in(key, fresh) -%}
    {%- set columns = listed(key) | join(', ') -%}
    {{ columns if key is string else '(' ~ columns ~ ')' }} in (select {{ columns }} from {{ fresh }})
{%- endmacro %}

{# Rows of `target` that meet the condition go; fresh ones come in, but for those without `present`. #}
{% macro put_again(arguments, present, condition) %}
    {%- set target, fresh = arguments['target_relation'], arguments['temp_relation'] -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ target }} where {{ condition }};
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ fresh }} where {{ present }} is not null
{% endmacro %}


{#
The keys that a run has to build, as a subquery, where a model puts rows of several datasets together: every key that a
load after its dataset's mark brought or took away; without marks all keys. `sources` are (mark, rows, changes), one a
dataset.
#}
{% macro keys_after(sources, key) %}
    (
        {%- for mark, rows, changes in sources %}
        {{ 'union' if not loop.first }}
        {%- if mark is none %}
        select {{ key }} from {{ rows }}
        {%- else %}
        select {{ key }} from {{ changes }} where _load_id > {{ mark }}
        {%- endif %}
        {%- endfor %}
    ) as touched
{%- endmacro %}


{#
Incremental strategy `by_difference`, for small models that are counted anew at each build, such as dimensions: only
rows that are gone, new or changed are written, so that a reader never finds the others missing. Their load mark holds
nothing back; it has two runs of one model go one after the other.
#}
{% macro get_incremental_by_difference_sql(arguments) %}
    {%- set target, fresh = arguments['target_relation'], arguments['temp_relation'] -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    {%- set key = arguments['unique_key'] -%}
    {%- set statements -%}
    delete from {{ target }}
    where {{ key }} in (
        select {{ key }} from (select {{ columns }} from {{ target }} except select {{ columns }} from {{ fresh }}) as gone
    );
    insert into {{ target }} ({{ columns }})
    select {{ columns }} from {{ fresh }} as found
    where not exists (select 1 from {{ target }} as kept where kept.{{ key }} = found.{{ key }})
    {%- endset -%}
    {{ in_one_transaction(statements) }}
{% endmacro %}
