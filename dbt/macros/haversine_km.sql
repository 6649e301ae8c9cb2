{#
Kilometres on the shortest way over the earth between two places, given in degrees: the haversine formula on a sphere
with the earth's mean radius, which is right to half a percent. To the millimetre, so that sums do not depend on their
order. Null where a place is.
#}
{% macro haversine_km(latitude, longitude, other_latitude, other_longitude) -%}
    {{ adapter.dispatch('haversine_km')(latitude, longitude, other_latitude, other_longitude) }}
{%- endmacro %}

{# `least` keeps rounding from asking for the arc of more than 1; with a null beside it, Postgres makes it 1. #}
{% macro default__haversine_km(latitude, longitude, other_latitude, other_longitude) -%}
    case
        when {{ latitude }} + {{ longitude }} + {{ other_latitude }} + {{ other_longitude }} is not null
            then cast(round(cast(2 * 6371.0088 * asin(least(1, sqrt(
                power(sin(radians({{ other_latitude }} - {{ latitude }}) / 2), 2)
                + cos(radians({{ latitude }})) * cos(radians({{ other_latitude }}))
                * power(sin(radians({{ other_longitude }} - {{ longitude }}) / 2), 2)
            ))) as numeric(20, 10)), 6) as numeric(12, 6))
    end
{%- endmacro %}
