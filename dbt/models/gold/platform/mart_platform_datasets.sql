-- A view: how old the newest delivery is can't be told by a table, which would have to be built to be right.
{{ config(materialized='view', contract={'enforced': true}) }}

with

promised as (

    {{ promised_datasets() }}

),

-- What keeps a dataset out of runs; one whose contract was never sound is not among those promised.
faulty as (

    select
        dataset,
        max(domain) as of_domain,
        max(split_part(fault, chr(10), 1)) as fault
    from {{ source('ops', 'faults') }}
    group by dataset

),

-- What a person has to decide: corrections that are held, and texts that a column of a loaded drop can't read.
undecided as (

    select
        dataset,
        count(*) as waiting
    from (
        select dataset
        from {{ source('ops', 'held') }}
        where decision = 'held'

        union all

        select findings.dataset
        from {{ source('ops', 'findings') }} as findings
        inner join {{ source('ops', 'loads') }} as loads on findings.load_id = loads.load_id
        where findings.closed_at is null and loads.state = 'loaded'
    ) as waits
    group by dataset

),

listed as (

    select
        promised.domain,
        promised.dataset,
        promised.late_after_hours,
        promised.error_after_hours,
        faulty.fault
    from promised
    left join faulty on promised.dataset = faulty.dataset

    union all

    select
        faulty.of_domain,
        faulty.dataset,
        cast(null as integer) as late_after_hours,
        cast(null as integer) as error_after_hours,
        faulty.fault
    from faulty
    left join promised on faulty.dataset = promised.dataset
    where promised.dataset is null

),

newest as (

    {{ newest_loads('listed') }}

),

aged as (

    select
        listed.domain,
        listed.dataset,
        listed.late_after_hours,
        listed.error_after_hours,
        listed.fault,
        newest.raw_after,
        newest.load_id,
        newest.delivered_at,
        newest.loads,
        newest.rows_read,
        newest.inserted,
        newest.updated,
        newest.unchanged,
        newest.superseded,
        newest.repeated,
        newest.quarantined,
        newest.failed_since,
        undecided.waiting,
        {{ hours_since('newest.delivered_at') }} as hours
    from listed
    left join newest on listed.dataset = newest.dataset
    left join undecided on listed.dataset = undecided.dataset

)

select
    domain,
    dataset,
    case
        when fault is not null then 'faulty'
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
    cast(unchanged as bigint) as last_rows_unchanged,
    cast(superseded as bigint) as last_rows_superseded,
    cast(repeated as bigint) as last_rows_repeated,
    cast(quarantined as bigint) as last_rows_quarantined,
    inserted + updated + unchanged + superseded + repeated + quarantined = rows_read as last_rows_add_up,
    cast(coalesce(failed_since, 0) as bigint) as failed_since,
    cast(coalesce(waiting, 0) as bigint) as waiting_for_decision,
    fault
from aged
