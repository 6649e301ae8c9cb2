{#
Touched days: which days of an incremental model its builds have changed, and which build did so last.

An aggregate has to redo the groups that a changed row has left as well as those it came to, and once the row is
replaced, where it was is lost. So the model that replaces rows (`by_load`, `meta: {touches: event_date}`) notes the
days of old and new rows in the same transaction, under the number of its build; one line a day, however many builds. A
model that is built whole notes all its days before, and gives them a higher number after: where these commit alone, a
mart that looked in between does them again.
  1. The builds of a model go one after the other (they lock its load mark), so their numbers commit in order, and a
     mart follows them with a load mark of its own, opened before it reads a row: load_marks.sql.
  2. A mart redoes the days, months or years that builds after its mark touched (`periods_after`), found and read in
     one statement; a period without rows comes as one row of nulls beside it.
  3. Strategy `by_period` takes those periods out and puts in what they are now.
  4. A mart that reads other marts is marked as far as the least of them: `newest_build(model, through=[…])`.
A model that is built whole touches every day that it has or ever had, so the marts need not be refreshed with it.
#}

{% macro touched_days() %}
    {{ return(silver_relation('touched_days')) }}
{% endmacro %}

{% macro create_touched_days() %}
    {{- create_once(touched_days(), [
        'relation ' ~ dbt.type_string() ~ ' not null',
        'day date not null',
        'build ' ~ dbt.type_bigint() ~ ' not null',
        'primary key (relation, day, build)',
    ]) -}}
{% endmacro %}

{# Pre-hook of the model whose days are noted, after `open_load_marks`: a mark below 0 says that it is built whole. #}
{% macro open_touched_days() %}
    {%- if not is_incremental() -%}
    update {{ touched_days() }}
    set build = (select max(build) + 1 from {{ touched_days() }} where relation = '{{ this.identifier }}')
    where relation = '{{ this.identifier }}';
    update {{ load_marks() }} set load_id = -1 where relation = '{{ this.identifier }}'
    {%- endif -%}
{% endmacro %}

{# Post-hook before `save_load_marks`: a model built whole has touched the days that it had, and those that it has now. #}
{% macro save_touched_days(day) %}
    insert into {{ touched_days() }} (relation, day, build)
    select
        '{{ this.identifier }}',
        days.{{ day }},
        (select coalesce(max(build), 1) from {{ touched_days() }} where relation = '{{ this.identifier }}')
    from (
        select distinct {{ day }} from {{ this }}
        where exists (select 1 from {{ load_marks() }} where relation = '{{ this.identifier }}' and load_id < 0)
    ) as days
    where not exists (
        select 1 from {{ touched_days() }} as known where known.relation = '{{ this.identifier }}' and known.day = days.{{ day }}
    );
    update {{ touched_days() }} set build = build + 1
    where
        relation = '{{ this.identifier }}'
        and exists (select 1 from {{ load_marks() }} where relation = '{{ this.identifier }}' and load_id < 0);
    {{ adapter.dispatch('tell_the_planner')(touched_days()) }}
{% endmacro %}

{# The marts look up few of many days, and the planner has to know how few. #}
{% macro default__tell_the_planner(relation) %}{% endmacro %}

{% macro postgres__tell_the_planner(relation) %}analyze {{ relation }}{% endmacro %}

{# It analyzes by itself. #}
{% macro redshift__tell_the_planner(relation) %}{% endmacro %}

{# Part of `by_load`, before it replaces rows of `target` that meet the condition by `fresh` ones: the days of both. #}
{% macro touch_days(target, fresh, condition, day) %}
    {%- set days, model_name = touched_days(), target.identifier -%}
    {%- set build = run_query(newest_build(model_name)).rows[0][0] | int + 1 -%}
    insert into {{ days }} (relation, day, build)
    select '{{ model_name }}', changed.{{ day }}, {{ build }}
    from (
        select {{ day }} from {{ target }} where {{ condition }}
        union
        select {{ day }} from {{ fresh }} where _load_id is not null
    ) as changed;
    delete from {{ days }}
    where
        relation = '{{ model_name }}'
        and build < {{ build }}
        and day in (select day from {{ days }} where relation = '{{ model_name }}' and build = {{ build }})
{% endmacro %}


{# The newest build of a model, or the newest that all marts in `through` have followed. #}
{% macro newest_build(model_name, through=[]) -%}
    {%- if through -%}
    select coalesce(case when count(*) = {{ through | length }} then min(load_id) end, 0) from {{ load_marks() }}
    where dataset = '{{ model_name }}' and relation in ('{{ through | join("', '") }}')
    {%- else -%}
    select coalesce(max(build), 0) from {{ touched_days() }} where relation = '{{ model_name }}'
    {%- endif -%}
{%- endmacro %}

{# Pre-hook of a mart. #}
{% macro open_build_mark(model_name, through=[]) %}
    {{- open_load_marks(model_name, newest_build(model_name, through)) -}}
{% endmacro %}

{# The build that `this` has followed the model to, directly or `through` others; none when it has to be built whole. #}
{% macro build_mark(model_name, through=[]) %}
    {{ return(load_mark(model_name, newest_build(model_name, through))) }}
{% endmacro %}


{#
The rows that a mart has to count again, as a subquery: `period` (the first day of a day, month or year), and the
columns of `rows` whose `day` lies in it. Only periods that builds after `mark` touched, or without a mark all.
#}
{% macro periods_after(mark, model_name, rows, day, period, grain='day') %}
    {%- if mark is none -%}
        {%- if day == period -%}
    {{ rows }}
        {%- else -%}
    (select {{ period_of(day, grain) }} as {{ period }}, all_rows.* from {{ rows }} as all_rows) as counted
        {%- endif -%}
    {%- else -%}
    (
        select *
        from (
            select distinct {{ period_of('day', grain) }} as {{ period }}
            from {{ touched_days() }}
            where relation = '{{ model_name }}' and build > {{ mark }}
        ) as touched
        left join {{ rows }} as kept
        {%- if day == period %}
            using ({{ period }})
        {%- else %}
            on kept.{{ day }} >= touched.{{ period }}
            and kept.{{ day }} < {{ dbt.dateadd(grain, 1, 'touched.' ~ period) }}
        {%- endif %}
    ) as counted
    {%- endif -%}
{% endmacro %}

{% macro period_of(day, grain) -%}
    {{ day if grain == 'day' else "cast(date_trunc('" ~ grain ~ "', " ~ day ~ ") as date)" }}
{%- endmacro %}


{# Incremental strategy `by_period`: touched periods are taken out, those that still have events are put in again. #}
{% macro get_incremental_by_period_sql(arguments) %}
    {{ in_one_transaction(put_again(
        arguments,
        config.get('meta', {}).get('counts', 'events'),
        has_key_in(arguments['unique_key'], arguments['temp_relation'])
    )) }}
{% endmacro %}
