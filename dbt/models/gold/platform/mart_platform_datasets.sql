-- A view: how old the newest delivery is can't be told by a table, which would have to be built to be right.
{{ config(materialized='view') }}

with

promised as (

    {{ promised_datasets() }}

),

newest as (

    {{ newest_loads('promised') }}

),

aged as (

    select
        promised.domain,
        promised.dataset,
        promised.late_after_hours,
        promised.error_after_hours,
        newest.raw_after,
        newest.load_id,
        newest.delivered_at,
        newest.loads,
        newest.rows_read,
        newest.inserted,
        newest.updated,
        newest.quarantined,
        newest.failed_since,
        {{ hours_since('newest.delivered_at') }} as hours
    from promised
    left join newest on promised.dataset = newest.dataset

)

select
    domain,
    dataset,
    case
        when load_id is null then 'never loaded'
        when hours > error_after_hours then 'too late'
        when hours > late_after_hours then 'late'
        when late_after_hours is null then 'no promise'
        else 'on time'
    end as standing,
    cast(coalesce(raw_after, 0) as bigint) as rows_in_raw,
    delivered_at as last_loaded_at,
    cast(hours as numeric(12, 1)) as hours_since_load,
    late_after_hours,
    cast(load_id as bigint) as last_load_id,
    cast(loads as bigint) as last_loads,
    cast(rows_read as bigint) as last_rows_read,
    cast(inserted as bigint) as last_rows_inserted,
    cast(updated as bigint) as last_rows_updated,
    cast(quarantined as bigint) as last_rows_quarantined,
    cast(coalesce(failed_since, 0) as bigint) as failed_since
from aged
