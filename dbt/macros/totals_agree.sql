{#
A test's query: that all layers of a domain have the same totals. It finds the groups in which two layers differ, or one
is missing that other groups have. Of each layer:
    layer           what it is called
    of              relations whose totals are added up
    totals          expression by name; a layer has those that it can tell
    followed_by     incremental models whose loads are all it may be ahead by: while there are newer ones it is left out,
                    for bronze is raw as it is now
`by` is a column to group by; without it there is one group.
#}
{% macro totals_agree(layers, by=none) -%}
{%- set names = [] -%}
{%- for layer in layers -%}
    {%- for name in layer.totals if name not in names -%}{%- do names.append(name) -%}{%- endfor -%}
{%- endfor -%}
with parts as (
    {%- for layer in layers %}
    {%- set first_layer = loop.first %}
    {%- for relation in layer.of %}
    {{ 'union all' if not (first_layer and loop.first) }}
    select
        '{{ layer.layer }}' as layer,
        {{ by or "'all'" }} as grouped_by,
        {%- for name in names %}
        cast({{ 'coalesce(' ~ layer.totals[name] ~ ', 0)' if name in layer.totals else 'null' }} as numeric(38, 6)) as {{ name }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ relation }}
    {{ 'group by ' ~ by if by }}
    {%- if layer.followed_by %}
    having not exists ({{ loads_to_come(layer.followed_by) }})
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
),

totals as (
    select
        layer,
        grouped_by,
        {%- for name in names %}
        sum({{ name }}) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from parts
    group by layer, grouped_by
)

select
    grouped_by,
    count(*) as layers,
    {%- for name in names %}
    min({{ name }}) as least_{{ name }},
    max({{ name }}) as most_{{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
from totals
group by grouped_by
having
    count(*) < (select count(distinct layer) from totals)
    {%- for name in names %}
    or min({{ name }}) < max({{ name }})
    {%- endfor %}
{%- endmacro %}
