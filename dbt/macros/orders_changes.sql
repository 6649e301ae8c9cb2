{# What the log of the shop's changes says of a row, whichever table it is of. #}

{# Columns of the shop's tables, as the source spells them, and their types. #}
{% macro orders_types(table) -%}
    {%- set tables = {
        'customers': {
            'customer_id': 'bigint',
            'customer_name': 'text',
            'is_active': 'boolean',
            'customer_address': 'text',
            'updated_at': 'timestamp',
            'updated_by': 'bigint',
            'created_at': 'timestamp',
            'created_by': 'bigint'
        },
        'products': {
            'product_id': 'bigint',
            'product_name': 'text',
            'barcode': 'text',
            'unity_price': 'numeric(12, 2)',
            'is_active': 'boolean',
            'updated_at': 'timestamp',
            'updated_by': 'bigint',
            'created_at': 'timestamp',
            'created_by': 'bigint'
        },
        'orders': {
            'order_id': 'bigint',
            'order_date': 'date',
            'delivery_date': 'date',
            'customer_id': 'bigint',
            'status': 'text',
            'updated_at': 'timestamp',
            'updated_by': 'bigint',
            'created_at': 'timestamp',
            'created_by': 'bigint'
        },
        'order_items': {
            'order_item_id': 'bigint',
            'order_id': 'bigint',
            'product_id': 'bigint',
            'quanity': 'bigint',
            'updated_at': 'timestamp',
            'updated_by': 'bigint',
            'created_at': 'timestamp',
            'created_by': 'bigint'
        }
    } -%}
    {{ return(tables[table]) }}
{%- endmacro %}

{# Names that gold and silver use where the source's are misspelt. #}
{% macro orders_names() -%}
    {{ return({'unity_price': 'unit_price', 'quanity': 'quantity'}) }}
{%- endmacro %}

{# All of them, of a JSON object of the log: `after_customer_id`. #}
{% macro orders_columns(object, table) -%}
    {{ json_columns(object, orders_types(table)) }}
{%- endmacro %}

{# Names of the fields whose value is not of its column's type, a blank before each; an empty text where all are. #}
{% macro orders_unreadable_fields() -%}
    case source_table
        {%- for table in ['customers', 'products', 'orders', 'order_items'] %}
        when '{{ table }}' then ''
            {%- for object in ['before', 'after'] %}
            {%- for field, type in orders_types(table).items() if type != 'text' %}
            {%- set text = json_text(object, field) %}
            || case when {{ text }} is not null and {{ try_cast(text, type) }} is null then ' {{ object }}.{{ field }}' else '' end
            {%- endfor %}
            {%- endfor %}
        {%- endfor %}
    end
{%- endmacro %}

{# Number of the row that a JSON object of the log is of. #}
{% macro orders_row_id(object) -%}
    case source_table
        {%- for table in ['customers', 'products', 'orders', 'order_items'] %}
        when '{{ table }}' then {{ try_cast(json_text(object, table[:-1] ~ '_id'), 'bigint') }}
        {%- endfor %}
    end
{%- endmacro %}

{# Place of a change in the log, as text of one width that sorts like the log. Without an ordinal it comes first. #}
{% macro orders_place(lsn, ordinal, occurrence) -%}
    lpad(cast({{ lsn }} as {{ dbt.type_string() }}), 19, '0')
    || '-' || lpad(cast(coalesce({{ ordinal }} + 1, 0) as {{ dbt.type_string() }}), 19, '0')
    || '-' || lpad(cast({{ occurrence }} as {{ dbt.type_string() }}), 10, '0')
{%- endmacro %}

{# The first place after all changes of an LSN. #}
{% macro orders_place_after(lsn) -%}
    lpad(cast({{ lsn }} + 1 as {{ dbt.type_string() }}), 19, '0')
{%- endmacro %}


{#
The rows of a table whose history a run has to tell again, as a subquery of `row_id`: those that a load after `mark`
has brought a change of or taken one from, all of them where it brought a truncation or a gap, and those that end in a
gap of which more is known now. Without a mark all.
A change that is gone is found by what it did: it began a version or ended one. Had it done neither, nothing is to do.
#}
{% macro orders_touched_rows(mark, table, key, changes, touched, gaps) %}
    {%- if mark is none -%}
    (
        select distinct row_id from {{ changes }} where source_table = '{{ table }}' and row_id is not null
    ) as touched_rows
    {%- else -%}
    (
        with touched_changes as (
            select distinct change_id from {{ touched }} where _load_id > {{ mark }}
        )

        select changes.row_id
        from touched_changes
        inner join {{ changes }} as changes on touched_changes.change_id = changes.change_id
        where changes.source_table = '{{ table }}' and changes.row_id is not null
        union
        select known.{{ key }}
        from touched_changes
        inner join {{ this }} as known on touched_changes.change_id = known.change_id
        union
        select known.{{ key }}
        from touched_changes
        inner join {{ this }} as known on touched_changes.change_id = known.ended_by_change_id
        union
        select row_id
        from {{ changes }}
        where
            source_table = '{{ table }}'
            and row_id is not null
            and exists (
                select 1
                from touched_changes
                inner join {{ changes }} as of_all on touched_changes.change_id = of_all.change_id
                where of_all.source_table = '{{ table }}' and of_all.op in ('t', 'g')
            )
        union
        select known.{{ key }}
        from {{ gaps }} as gaps
        inner join {{ this }} as known on gaps.change_id = known.ended_by_change_id
        where known.valid_to <> {{ orders_known_until('known.valid_from', 'gaps.unknown_from') }}
    ) as touched_rows
    {%- endif -%}
{% endmacro %}

{# Until when a version held for sure that a gap has ended. #}
{% macro orders_known_until(valid_from, unknown_from) -%}
    greatest({{ valid_from }}, coalesce({{ unknown_from }}, {{ valid_from }}))
{%- endmacro %}


{#
The versions of a table's rows, as a subquery: what each change said of a row (`rows`, the table's view in bronze), and
from when to when it held. Only rows that are touched (orders_touched_rows); one without a version comes as its `row_id`
and nulls.
  1. `ends` are the places where all rows of the table end at once, by truncation or gap; each version lies in the stretch
     of the log before one of them or after the last.
  2. In its stretch, a version ends where the next change of its row is, or else with the stretch.
  3. Places order the versions. Clocks may run backwards between them; then a version lasts no time, never less.
Only changes count that are in bronze in this very moment, so that what a load takes meanwhile leaves no trace.
#}
{% macro orders_versions(mark, table, key, rows, changes, touched, gaps) %}
    (
        with touched_rows as (
            select row_id from {{ orders_touched_rows(mark, table, key, changes, touched, gaps) }}
        ),

        ends as (
            select
                changes.change_id,
                changes.op,
                changes.lsn,
                changes.ordinal,
                changes.changed_at,
                changes.place,
                lag(changes.place) over (order by changes.place) as place_before
            from {{ changes }} as changes
            inner join {{ rows }} as bronze on changes.change_id = bronze.change_id
            where changes.source_table = '{{ table }}' and changes.op in ('t', 'g')
        ),

        stretched as (
            select
                bronze.*,
                changes.row_id,
                changes.place,
                changes.is_there,
                ends.place as end_place,
                ends.op as end_op,
                ends.change_id as end_change_id,
                ends.lsn as end_lsn,
                ends.ordinal as end_ordinal,
                ends.changed_at as end_at
            from touched_rows
            inner join {{ changes }} as changes
                on touched_rows.row_id = changes.row_id and changes.source_table = '{{ table }}'
            inner join {{ rows }} as bronze on changes.change_id = bronze.change_id
            left join ends
                on
                    changes.place < ends.place
                    and (ends.place_before is null or changes.place > ends.place_before)
        ),

        followed as (
            select
                stretched.*,
                lead(change_id) over (partition by row_id, end_place order by place) as next_change_id,
                lead(is_there) over (partition by row_id, end_place order by place) as next_is_there,
                lead(lsn) over (partition by row_id, end_place order by place) as next_lsn,
                lead(ordinal) over (partition by row_id, end_place order by place) as next_ordinal,
                lead(changed_at) over (partition by row_id, end_place order by place) as next_at
            from stretched
        ),

        ended as (
            select
                followed.*,
                coalesce(next_change_id, end_change_id) as ended_by_change_id,
                case when next_change_id is null then end_lsn else next_lsn end as valid_to_lsn,
                case when next_change_id is null then end_ordinal else next_ordinal end as valid_to_ordinal,
                coalesce(next_at, end_at) as ended_at,
                case
                    when next_is_there then 'update'
                    when next_change_id is not null then 'delete'
                    when end_op = 't' then 'truncate'
                    when end_op = 'g' then 'gap'
                end as ended_by
            from followed
            where is_there
        ),

        begun as (
            select
                ended.*,
                greatest(
                    max(changed_at) over (
                        partition by row_id order by place rows between unbounded preceding and current row
                    ),
                    coalesce(
                        max(ended_at) over (
                            partition by row_id order by place rows between unbounded preceding and 1 preceding
                        ),
                        changed_at
                    )
                ) as valid_from
            from ended
        )

        select
            begun.*,
            touched_rows.row_id as touched_row_id,
            case
                when begun.ended_by = 'gap' then {{ orders_known_until('begun.valid_from', 'gaps.unknown_from') }}
                when begun.ended_by is not null then greatest(begun.valid_from, begun.ended_at)
            end as valid_to
        from touched_rows
        {{ 'inner' if mark is none else 'left' }} join begun on touched_rows.row_id = begun.row_id
        left join {{ gaps }} as gaps on begun.ended_by_change_id = gaps.change_id
    ) as versions
{% endmacro %}

{# What every history says of a version beside the row itself. #}
{% macro orders_version_columns() -%}
    change_id,
    op,
    valid_from,
    valid_to,
    lsn as valid_from_lsn,
    ordinal as valid_from_ordinal,
    valid_to_lsn,
    valid_to_ordinal,
    ended_by,
    ended_by_change_id,
    ended_by is null as is_current,
    changed_at,
    place,
    _load_id
{%- endmacro %}


{# Open is what is not completed, whatever else the source may call it. #}
{% macro orders_is_open(status) -%}
    coalesce({{ status }} <> 'COMPLETED', true)
{%- endmacro %}

{% macro orders_is_pending(status) -%}
    coalesce({{ status }} = 'PENDING', false)
{%- endmacro %}


{#
The model of the history of a table of the shop: every version of its rows, and until when it held. A row whose changes
are touched by a load is replaced whole.
#}
{% macro orders_history(table) -%}
{%- set key = table[:-1] ~ '_id' -%}
{{ follow_loads(
    'order_changes',
    key=key,
    indexes=[{'columns': ['change_id'], 'unique': true}, {'columns': [key]}, {'columns': ['ended_by_change_id']}],
    through=['int_orders_changes']
) }}

with

versions as (

    select *
    from {{ orders_versions(
        build_mark('order_changes', through=['int_orders_changes']),
        table,
        key=key,
        rows=ref('stg_orders_' ~ table),
        changes=ref('int_orders_changes'),
        touched=ref('stg_order_changes__changes'),
        gaps=ref('int_orders_unknown_history')
    ) }}

)

select
    touched_row_id as {{ key }},
    {%- for field in orders_types(table) if field != key %}
    after_{{ field }} as {{ orders_names().get(field, field) }},
    {%- endfor %}
    {{- orders_version_columns() }}
from versions
{%- endmacro %}

{# The model of the rows that a table holds now. #}
{% macro orders_rows_of_now(table) -%}
with

history as (

    select * from {{ ref('int_orders_' ~ table ~ '_history') }}

)

select
    {%- for field in orders_types(table) %}
    {{ orders_names().get(field, field) }},
    {%- endfor %}
    op,
    valid_from,
    valid_from_lsn,
    valid_from_ordinal,
    change_id,
    _load_id
from history
where is_current
{%- endmacro %}
