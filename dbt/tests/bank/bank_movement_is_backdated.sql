{{ config(severity='warn', store_failures=true, tags=['bank']) }}
-- Value date before booking date: possible, worth a look, and never removed.

select
    movement_id,
    account_no,
    booking_date,
    value_date,
    amount_inr
from {{ ref('fct_bank_movement') }}
where is_backdated
