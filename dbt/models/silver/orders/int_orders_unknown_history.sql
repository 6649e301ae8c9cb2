{{ write_differences('order_changes', key='change_id', through=['int_orders_changes'], is_public=false) }}

with

changes as (

    select * from {{ ref('int_orders_changes') }}

),

-- The place of the last change that was known when the gap began, of whichever table.
gaps as (

    select
        gaps.*,
        (
            select max(known.place)
            from {{ ref('int_orders_changes') }} as known
            where known.place < gaps.place and known.place < {{ orders_place_after('gaps.known_lsn') }}
        ) as known_place
    from changes as gaps
    where gaps.op = 'g'

)

select
    gaps.change_id,
    gaps.source_table,
    case
        when gaps.known_place is not null then least(
            gaps.changed_at,
            (
                select max(known.changed_at)
                from {{ ref('int_orders_changes') }} as known
                where known.place = gaps.known_place
            )
        )
    end as unknown_from,
    gaps.changed_at as unknown_to,
    gaps.known_lsn as unknown_from_lsn,
    gaps.lsn as unknown_to_lsn,
    gaps.ordinal as unknown_to_ordinal,
    gaps._load_id
from gaps
