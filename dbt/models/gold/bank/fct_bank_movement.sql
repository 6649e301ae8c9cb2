{{ config(contract={'enforced': true}) }}

with

movements as (

    select * from {{ ref('int_bank_movements') }}

)

select
    movement_id,
    account_no,
    booking_date,
    value_date,
    details,
    cheque_no,
    movement_type,
    withdrawal_inr,
    deposit_inr,
    amount_inr,
    balance_inr,
    is_backdated
from movements
