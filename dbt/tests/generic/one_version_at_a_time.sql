{#
Versions of a row follow each other: none begins before the one before it has ended, by the log and by time; an update
leaves nothing between them, only deletions, truncations and gaps do; the last one alone may hold now.
#}
{% test one_version_at_a_time(model, key) %}

with followed as (
    select
        *,
        lead(place) over (partition by {{ key }} order by place) as next_place,
        lead(valid_from) over (partition by {{ key }} order by place) as next_valid_from,
        lead(valid_from_lsn) over (partition by {{ key }} order by place) as next_lsn,
        lead(valid_from_ordinal) over (partition by {{ key }} order by place) as next_ordinal
    from {{ model }}
)

select *
from followed
where
    is_current <> (ended_by is null)
    or is_current <> (valid_to is null)
    or is_current <> (valid_to_lsn is null)
    or (is_current and next_place is not null)
    or valid_to < valid_from
    or valid_to_lsn < valid_from_lsn
    or next_valid_from < valid_to
    or next_lsn < valid_to_lsn
    or (
        ended_by = 'update'
        and (
            next_place is null
            or next_valid_from <> valid_to
            or next_lsn <> valid_to_lsn
            or coalesce(next_ordinal, -1) <> coalesce(valid_to_ordinal, -1)
        )
    )

{% endtest %}
