{{ config(contract={'enforced': true}) }}

with

accounts as (

    select * from {{ ref('dim_bank_account') }}

),

booking_days as (

    select * from {{ ref('int_bank_booking_days') }}

),

calendar as (

    select
        account_no,
        balance_date
    from {{ each_day('accounts', 'account_no', 'first_booking_date', 'last_booking_date', 'balance_date') }}

),

-- A booking day opens a stretch that lasts through the quiet days after it.
stretches as (

    select
        calendar.account_no,
        calendar.balance_date,
        booking_days.movements,
        booking_days.withdrawals_inr,
        booking_days.deposits_inr,
        booking_days.closing_balance_inr,
        count(booking_days.booking_date) over (
            partition by calendar.account_no
            order by calendar.balance_date
            rows between unbounded preceding and current row
        ) as stretch
    from calendar
    left join booking_days
        on
            calendar.account_no = booking_days.account_no
            and calendar.balance_date = booking_days.booking_date

),

balances as (

    select
        account_no,
        balance_date,
        movements,
        withdrawals_inr,
        deposits_inr,
        max(closing_balance_inr) over (partition by account_no, stretch) as closing_balance_inr
    from stretches

)

select
    account_no,
    balance_date,
    cast(coalesce(movements, 0) as bigint) as movements,
    cast(coalesce(withdrawals_inr, 0) as numeric(28, 2)) as withdrawals_inr,
    cast(coalesce(deposits_inr, 0) as numeric(28, 2)) as deposits_inr,
    cast(closing_balance_inr as numeric(18, 2)) as closing_balance_inr,
    cast(max(abs(closing_balance_inr)) over (partition by account_no) as numeric(18, 2)) as largest_balance_inr
from balances
