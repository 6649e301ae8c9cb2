{{ config(tags=['bank']) }}
-- What landed is what is shown: every layer has the same movements and sums for each account.
-- Bronze is raw as it is now, so it is compared only while no load is newer than the one that silver has followed.

with

loads_to_come as (

    {{ loads_to_come(['int_bank_movements']) }}

),

totals as (

    select
        'bronze' as layer,
        account_no,
        count(*) as movements,
        coalesce(sum(withdrawal_inr), 0) as withdrawals_inr,
        coalesce(sum(deposit_inr), 0) as deposits_inr
    from {{ ref('stg_bank_transactions') }}
    where not exists (select 1 from loads_to_come)
    group by account_no
    union all
    select
        'fct_bank_movement' as layer,
        account_no,
        count(*) as movements,
        coalesce(sum(withdrawal_inr), 0) as withdrawals_inr,
        coalesce(sum(deposit_inr), 0) as deposits_inr
    from {{ ref('fct_bank_movement') }}
    group by account_no
    union all
    select
        'dim_bank_account' as layer,
        account_no,
        movements,
        withdrawals_inr,
        deposits_inr
    from {{ ref('dim_bank_account') }}
    union all
    select
        'mart_bank_daily_balance' as layer,
        account_no,
        sum(movements) as movements,
        sum(withdrawals_inr) as withdrawals_inr,
        sum(deposits_inr) as deposits_inr
    from {{ ref('mart_bank_daily_balance') }}
    group by account_no
    union all
    select
        'mart_bank_monthly_flow' as layer,
        account_no,
        sum(movements) as movements,
        sum(withdrawals_inr) as withdrawals_inr,
        sum(deposits_inr) as deposits_inr
    from {{ ref('mart_bank_monthly_flow') }}
    group by account_no

),

-- The layers that have anything to say are the same for every account.
layers as (

    select count(distinct layer) as layers
    from totals

)

select
    totals.account_no,
    count(*) as layers_with_the_account,
    min(totals.movements) as least_movements,
    max(totals.movements) as most_movements,
    min(totals.withdrawals_inr) as least_withdrawals_inr,
    max(totals.withdrawals_inr) as most_withdrawals_inr,
    min(totals.deposits_inr) as least_deposits_inr,
    max(totals.deposits_inr) as most_deposits_inr
from totals
cross join layers
group by totals.account_no, layers.layers
having
    count(*) < layers.layers
    or min(totals.movements) < max(totals.movements)
    or min(totals.withdrawals_inr) < max(totals.withdrawals_inr)
    or min(totals.deposits_inr) < max(totals.deposits_inr)
