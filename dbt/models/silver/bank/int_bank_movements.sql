{{ follow_loads(
    'bank_transactions', key='movement_id', indexes=[{'columns': ['movement_id'], 'unique': true}]
) }}

with

movements as (

    select * from {{ loaded_rows('bank_transactions', key='movement_id') }}

),

-- Some exports write 0 where others leave the other side empty: neither is money.
sides as (

    select
        *,
        coalesce(withdrawal_inr, 0) <> 0 as has_withdrawal,
        coalesce(deposit_inr, 0) <> 0 as has_deposit
    from movements

),

typed as (

    select
        *,
        case
            when has_withdrawal and not has_deposit then 'withdrawal'
            when has_deposit and not has_withdrawal then 'deposit'
        end as movement_type
    from sides

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
    case movement_type when 'withdrawal' then withdrawal_inr when 'deposit' then deposit_inr end as amount_inr,
    balance_inr,
    discrepancy,
    value_date < booking_date as is_backdated,
    _load_id
from typed
