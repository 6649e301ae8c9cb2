{{ config(contract={'enforced': true}) }}

with

booking_days as (

    select * from {{ ref('int_bank_booking_days') }}

),

numbered as (

    select
        *,
        row_number() over (partition by account_no order by booking_date) as day_number,
        count(*) over (partition by account_no) as last_day_number
    from booking_days

),

accounts as (

    select
        account_no,
        min(booking_date) as first_booking_date,
        max(booking_date) as last_booking_date,
        sum(movements) as movements,
        sum(withdrawals_inr) as withdrawals_inr,
        sum(deposits_inr) as deposits_inr,
        max(case when day_number = 1 then opening_balance_inr end) as opening_balance_inr,
        max(case when day_number = last_day_number then closing_balance_inr end) as closing_balance_inr
    from numbered
    group by account_no

)

select
    account_no,
    first_booking_date,
    last_booking_date,
    cast(movements as bigint) as movements,
    cast(withdrawals_inr as numeric(28, 2)) as withdrawals_inr,
    cast(deposits_inr as numeric(28, 2)) as deposits_inr,
    cast(opening_balance_inr as numeric(18, 2)) as opening_balance_inr,
    cast(closing_balance_inr as numeric(18, 2)) as closing_balance_inr,
    withdrawals_inr > {{ var('bank_withdrawal_limit_inr') }} as is_over_withdrawal_limit
from accounts
