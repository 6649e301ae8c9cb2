{{ config(contract={'enforced': true}) }}

with

changes as (

    select * from {{ ref('int_orders_changes') }}

),

gaps as (

    select * from {{ ref('int_orders_unknown_history') }}

),

tables as (

    select distinct source_table
    from changes

),

-- Nobody kept what happened before the first change. A gap of which no earlier change is known reaches back as far.
beginnings as (

    select
        tables.source_table,
        (
            select changes.changed_at
            from changes
            order by changes.place
            limit 1
        ) as unknown_to
    from tables
    where not exists (
        select 1
        from gaps
        where gaps.source_table = tables.source_table and gaps.unknown_from is null
    )

)

select
    source_table,
    'before the log' as cause,
    cast(null as timestamptz) as unknown_from,
    unknown_to
from beginnings
union all
select
    source_table,
    'gap in the log' as cause,
    unknown_from,
    unknown_to
from gaps
