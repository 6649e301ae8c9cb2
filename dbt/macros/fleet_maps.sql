{#
What the fleet's maps are drawn of. No page may load tiles from other hosts, so a map is a plot in kilometres from its
middle, as wide as it is high, that ends on round numbers: a kilometre is as long in both directions.
#}

{# How far a point lies east of a centre, in kilometres; both are relations with `latitude` and `longitude`. #}
{% macro east_km(centre, point) -%}
    cast(
        case when {{ point }}.longitude < {{ centre }}.longitude then -1 else 1 end
        * {{ haversine_km(
            centre ~ '.latitude', centre ~ '.longitude', centre ~ '.latitude', point ~ '.longitude'
        ) }} as numeric(12, 6)
    )
{%- endmacro %}

{# How far a point lies north of a centre, likewise. #}
{% macro north_km(centre, point) -%}
    cast(
        case when {{ point }}.latitude < {{ centre }}.latitude then -1 else 1 end
        * {{ haversine_km(
            centre ~ '.latitude', centre ~ '.longitude', point ~ '.latitude', centre ~ '.longitude'
        ) }} as numeric(12, 6)
    )
{%- endmacro %}

{#
Half the side of a map, one row each: 1, 2 or 5 with any number of zeros, from 100 m to around the earth; and how large
the squares are of which it has 80 by 80. All are exact decimals, and so is how many squares a distance is.
#}
{% macro half_sides_km() -%}
    {%- set powers = {'0.1': '10', '1': '1', '10': '0.1', '100': '0.01', '1000': '0.001', '10000': '0.0001'} -%}
    {%- for power, inverse in powers.items() -%}
        {%- for half, side, per_km in [('1', '0.025', '40'), ('2', '0.05', '20'), ('5', '0.125', '8')] -%}
    select {{ half }} * {{ power }} as half_km, {{ side }} * {{ power }} as side_km, {{ per_km }} * {{ inverse }} as squares_per_km
            {{- ' union all\n    ' if not (loop.last and power == '10000') }}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{# A position of a vehicle as a tooltip names it: a row with `vehicle_label`, `located_at`, `latitude` and `longitude`. #}
{% macro point_in_words() -%}
    vehicle_label || ', ' || {{ time_text(utc_time('located_at'), 'YYYY-MM-DD HH24:MI:SS') }} || ' UTC, at '
    || cast({{ decimal_of('latitude', 8, 5) }} as {{ type_of('text') }}) || ', ' || cast({{ decimal_of('longitude', 8, 5) }} as {{ type_of('text') }})
{%- endmacro %}
