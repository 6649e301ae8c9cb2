{# The events of some kinds that a run has to build: all that loads touched since `mark`, gone ones as nulls beside the key. #}
{% macro fleet_events(mark, subject, events) %}
    (
        select *
        from {{ rows_after(
            mark,
            rows=ref('stg_vehicle_events'),
            changes=ref('stg_vehicle_events__changes'),
            key=['organization_id', 'subject', 'event', 'subject_id', 'occurred_at']
        ) }}
        {%- if mark is none %} as events{% endif %}
        where subject = '{{ subject }}' and event in ({{ quoted_list(events) }})
    ) as events_of_kind
{% endmacro %}
