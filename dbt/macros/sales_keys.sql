{#
Keys of the sales dimensions: hashes of what names a member in the real world, `unknown` where all of it is missing.
The parts are parted by a character that no text of them holds, so that `a` + `bc` and `ab` + `c` differ.
#}
{% macro sales_key(parts) -%}
    case
        when coalesce({{ parts | join(', ') }}) is null then 'unknown'
        else {{ dbt.hash("coalesce(" ~ parts | join(", '') || chr(31) || coalesce(") ~ ", '')") }}
    end
{%- endmacro %}

{# Who bought: name, e-mail and phone together, for the source's customer numbers are shared by several people. #}
{% macro sales_customer_key() -%}
    {{ sales_key([
        'lower(customer_first_name)',
        'lower(customer_last_name)',
        'lower(customer_email)',
        "nullif(translate(customer_phone, ' -().', ''), '')"
    ]) }}
{%- endmacro %}

{# What was bought: its number; its name where only that is known. #}
{% macro sales_product_key() -%}
    {{ sales_key(["coalesce(cast(product_id as " ~ dbt.type_string() ~ "), 'name ' || lower(product_name))"]) }}
{%- endmacro %}

{# Where it was bought: the city in its country. #}
{% macro sales_location_key() -%}
    {{ sales_key(['customer_country', 'customer_city']) }}
{%- endmacro %}

{# What every mart of sales counts and sums of a group of sales. #}
{% macro sales_sums() %}
    nullif(count(transaction_id), 0) as transactions,
    count(case when is_counted then 1 end) as counted_transactions,
    count(case when not is_counted then 1 end) as uncounted_transactions,
    count(case when transaction_id is not null and quantity is null then 1 end) as missing_quantities,
    cast(coalesce(sum(case when is_counted then quantity end), 0) as bigint) as quantity,
    cast(coalesce(sum(revenue), 0) as numeric(28, 2)) as revenue,
    cast(coalesce(sum(case when is_counted then tax end), 0) as numeric(28, 2)) as tax,
    cast(coalesce(sum(case when not is_counted then tax end), 0) as numeric(28, 2)) as uncounted_tax,
    max(loaded_at) as loaded_at
{%- endmacro %}

{# A day as the number 20260131; 0 where it is unknown. #}
{% macro sales_date_key(day) -%}
    case
        when {{ day }} = cast('{{ var("sales_unknown_date") }}' as date) then 0
        else cast(
            extract(year from {{ day }}) * 10000 + extract(month from {{ day }}) * 100 + extract(day from {{ day }}) as integer
        )
    end
{%- endmacro %}

{# A month as text; `Unknown` for that of the unknown day. #}
{% macro sales_month_name(month_start) -%}
    case
        when {{ month_start }} = {{ period_of("cast('" ~ var("sales_unknown_date") ~ "' as date)", 'month') }} then 'Unknown'
        else {{ time_text(month_start, 'YYYY-MM') }}
    end
{%- endmacro %}

{# The last day of a day's month. #}
{% macro last_of_month(day) -%}
    cast({{ dbt.last_day(day, 'month') }} as date)
{%- endmacro %}
