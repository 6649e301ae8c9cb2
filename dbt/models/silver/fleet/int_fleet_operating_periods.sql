{{ config(materialized='table') }}

with

period_events as (

    select * from {{ ref('int_fleet_period_events') }}

),

-- What was said last of a period's plan counts.
numbered as (

    select
        *,
        row_number() over (
            partition by organization_id, operating_period_id order by occurred_at desc
        ) as number_from_last
    from period_events
    where event = 'create'

),

created as (

    select * from numbered
    where number_from_last = 1

),

deleted as (

    select
        created.organization_id,
        created.operating_period_id,
        min(period_events.occurred_at) as deleted_at
    from created
    inner join period_events
        on
            created.organization_id = period_events.organization_id
            and created.operating_period_id = period_events.operating_period_id
            and period_events.event = 'delete'
            and created.occurred_at <= period_events.occurred_at
    group by created.organization_id, created.operating_period_id

),

ended as (

    select
        created.organization_id,
        created.operating_period_id,
        created.occurred_at as created_at,
        created.starts_at,
        created.finishes_at as planned_finish_at,
        deleted.deleted_at,
        case
            when deleted.deleted_at < created.finishes_at then deleted.deleted_at
            else created.finishes_at
        end as ended_at
    from created
    left join deleted
        on
            created.organization_id = deleted.organization_id
            and created.operating_period_id = deleted.operating_period_id

)

select
    organization_id,
    operating_period_id,
    created_at,
    starts_at,
    planned_finish_at,
    deleted_at,
    ended_at,
    ended_at > starts_at as took_place
from ended
