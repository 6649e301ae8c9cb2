{# Regular expressions that all warehouses read alike: no escapes, no groups that do not capture. #}

{# Whether all of `text` matches. #}
{% macro matches(text, pattern) %}
    {{- adapter.dispatch('matches')(text, pattern) -}}
{% endmacro %}

{% macro default__matches(text, pattern) -%}
    {{ text }} ~ '^({{ pattern }})$'
{%- endmacro %}

{% macro duckdb__matches(text, pattern) -%}
    regexp_full_match({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro snowflake__matches(text, pattern) -%}
    regexp_like({{ text }}, '({{ pattern }})')
{%- endmacro %}

{#
Whether a text is an IPv4 or IPv6 address, as RFC 4291 and Python's `ipaddress` have it: no leading zeros in IPv4, `::`
once and for one group or more, the last two groups of IPv6 perhaps written as IPv4; neither zone, prefix nor port.
Empty is no address.
#}
{% macro is_ip_address(text) -%}
    {%- set byte = '(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])' -%}
    {%- set ipv4 = '(' ~ byte ~ '[.]){3}' ~ byte -%}
    {%- set group = '[0-9a-fA-F]{1,4}' -%}
    {%- set shortened = [] -%}
    {%- for before in range(1, 7) -%}
        {%- do shortened.append('(' ~ group ~ ':){1,' ~ before ~ '}(:' ~ group ~ '){1,' ~ (7 - before) ~ '}') -%}
    {%- endfor -%}
    {%- set ipv6 = (
        ['(' ~ group ~ ':){7}' ~ group, '(' ~ group ~ ':){1,7}:', ':(:' ~ group ~ '){1,7}', '::'] + shortened
    ) | join('|') -%}
    coalesce(
        case
            when {{ text }} not like '%:%' then {{ matches(text, ipv4) }}
            when {{ text }} like '%.%' then {{ matches("regexp_replace(" ~ text ~ ", ':" ~ ipv4 ~ "$', ':0:0')", ipv6) }}
            else {{ matches(text, ipv6) }}
        end,
        false
    )
{%- endmacro %}

{# What stands behind the last @ of an e-mail address, in lower case; null when there is none. #}
{% macro email_domain(email) -%}
    case when {{ email }} like '%@%' then nullif(reverse(split_part(reverse(lower({{ email }})), '@', 1)), '') end
{%- endmacro %}
