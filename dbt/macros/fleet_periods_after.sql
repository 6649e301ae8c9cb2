{#
The operating periods whose distances a run has to measure again, as a subquery: those with a position on a day that
a build of the positions touched after `mark`, and those that are not what `this` knows of them. One that is gone comes
without its times. Without a mark all that took place.
#}
{% macro fleet_periods_after(mark, periods) %}
    {%- if mark is none -%}
    (
        select organization_id, operating_period_id, starts_at, ended_at from {{ periods }} where took_place
    ) as periods
    {%- else -%}
    (
        select organization_id, operating_period_id, periods.starts_at, periods.ended_at
        from (select * from {{ periods }} where took_place) as periods
        full join (
            select distinct organization_id, operating_period_id, starts_at, ended_at from {{ this }}
        ) as known using (organization_id, operating_period_id)
        where
            known.starts_at is null
            or periods.starts_at is null
            or known.starts_at <> periods.starts_at
            or known.ended_at <> periods.ended_at
            or exists (
                select 1
                from {{ touched_days() }} as touched
                where
                    touched.relation = 'int_fleet_positions'
                    and touched.build > {{ mark }}
                    and touched.day between {{ utc_date('periods.starts_at') }} and {{ utc_date('periods.ended_at') }}
            )
    ) as periods
    {%- endif -%}
{% endmacro %}
