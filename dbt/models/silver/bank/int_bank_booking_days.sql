{{ config(materialized='table') }}

with

movements as (

    select * from {{ ref('int_bank_movements') }}

),

drops as (

    {{ drop_ranks() }}

),

-- Read anew at each build and not kept with the movements: a row that a newer drop repeats unchanged changes its
-- place (drop and line) without being touched by that load. Drops follow one another by rank, not by number: which
-- of them was loaded first is chance.
places as (

    select
        movements.movement_id,
        drops.rank,
        movements._line
    from {{ ref('stg_bank_transactions') }} as movements
    left join drops on movements._drop_id = drops.drop_id

),

ordered as (

    select
        movements.*,
        row_number() over (
            partition by movements.account_no, movements.booking_date
            order by places.rank, places._line, movements.movement_id
        ) as position_in_day,
        count(*) over (partition by movements.account_no, movements.booking_date) as movements_in_day
    from movements
    left join places on movements.movement_id = places.movement_id

)

select
    account_no,
    booking_date,
    count(*) as movements,
    cast(coalesce(sum(withdrawal_inr), 0) as numeric(28, 2)) as withdrawals_inr,
    cast(coalesce(sum(deposit_inr), 0) as numeric(28, 2)) as deposits_inr,
    max(
        case
            when position_in_day = 1
                then balance_inr + coalesce(withdrawal_inr, 0) - coalesce(deposit_inr, 0)
        end
    ) as opening_balance_inr,
    max(case when position_in_day = movements_in_day then balance_inr end) as closing_balance_inr
from ordered
group by account_no, booking_date
