{{ config(contract={'enforced': true}) }}

with

accounts as (

    select * from {{ ref('dim_bank_account') }}

),

withdrawals as (

    select
        account_no,
        count(*) as withdrawals
    from {{ ref('fct_bank_movement') }}
    where movement_type = 'withdrawal'
    group by account_no

)

select
    accounts.account_no,
    accounts.first_booking_date,
    accounts.last_booking_date,
    cast(withdrawals.withdrawals as bigint) as withdrawals,
    accounts.withdrawals_inr,
    cast({{ var('bank_withdrawal_limit_inr') }} as numeric(28, 2)) as limit_inr,
    cast(accounts.withdrawals_inr - {{ var('bank_withdrawal_limit_inr') }} as numeric(28, 2)) as excess_inr
from accounts
inner join withdrawals on accounts.account_no = withdrawals.account_no
where accounts.is_over_withdrawal_limit
