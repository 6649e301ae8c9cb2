{{ config(severity='warn', store_failures=true, tags=['orders']) }}
-- Values of the log that are not of their column's type: bronze and all after it have none for them.

with

told as (

    select
        change_id,
        source_table,
        lsn,
        ordinal,
        case source_table
            {% for table in ['customers', 'products', 'orders', 'order_items'] %}
                when '{{ table }}' then ''
                {% for object in ['before', 'after'] %}
                    {% for field, type in orders_columns(table).items() if type != 'text' %}
                        {%- set text = json_text(object, field) %}
                        || case
                            when {{ text }} is not null and {{ try_cast(text, type) }} is null
                                then ' {{ object }}.{{ field }}'
                            else ''
                        end
                    {% endfor %}
                {% endfor %}
            {% endfor %}
        end as fields
    from {{ ref('stg_order_changes') }}

)

select
    change_id,
    source_table,
    lsn,
    ordinal,
    fields
from told
where fields <> ''
