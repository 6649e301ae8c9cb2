{{ follow_loads(
    'order_changes',
    key='change_id',
    indexes=[
        {'columns': ['change_id']},
        {'columns': ['source_table', 'row_id']},
        {'columns': ['place']},
        {'columns': ['source_table', 'op']}
    ]
) }}

with

changes as (

    select * from {{ loaded_rows('order_changes', key='change_id') }}

),

told as (

    select
        change_id,
        source_table,
        op,
        lsn,
        ordinal,
        {{ from_milliseconds('ts_ms') }} as changed_at,
        {{ orders_place('lsn', 'ordinal', '_occurrence') }} as place,
        {{ orders_row_id('before') }} as row_id_before,
        {{ orders_row_id('after') }} as row_id_after,
        case when op = 'g' then cast({{ json_text('before', 'lsn') }} as bigint) end as known_lsn,
        _load_id
    from changes

),

-- An update that changes the key of a row ends the row it was and begins the one it is: two lines.
touches as (

    select
        *,
        row_id_after as row_id,
        true as is_there
    from told
    where op in ('c', 'u', 'r') and row_id_after is not null
    union all
    select
        *,
        row_id_before as row_id,
        false as is_there
    from told
    where
        op in ('c', 'u', 'r', 'd')
        and row_id_before is not null
        and (op = 'd' or row_id_after is null or row_id_before <> row_id_after)
    union all
    select
        *,
        null as row_id,
        false as is_there
    from told
    where
        op is null
        or op in ('t', 'g')
        or (op = 'd' and row_id_before is null)
        or (op <> 'd' and row_id_before is null and row_id_after is null)

)

select
    change_id,
    source_table,
    row_id,
    is_there,
    op,
    lsn,
    ordinal,
    place,
    changed_at,
    known_lsn,
    _load_id
from touches
