{# The one row that a domain's dashboard shows on top: which days its gold covers, and when the newest delivery of its
   datasets was loaded. A table, not a view: when models fail after a load, it still speaks of the gold that is shown. #}
{% macro data_range(domain, relation, first_day, last_day, condition='') -%}
with

covered as (

    select
        cast(min({{ first_day }}) as date) as data_from,
        cast(max({{ last_day }}) as date) as data_to
    from {{ relation }}
    {{ 'where ' ~ condition if condition }}

),

datasets as (

    {{ promised_datasets(domain) }}

),

newest as (

    {{ newest_loads('datasets') }}

),

delivered as (

    select max(delivered_at) as loaded_at
    from newest

)

select
    cast('{{ domain }}' as {{ type_of('text') }}) as domain,
    covered.data_from,
    covered.data_to,
    delivered.loaded_at
from covered
cross join delivered
{%- endmacro %}
