-- Made by dbt/generate.py from contracts/bank/bank_transactions.odcs.yaml; change that,
-- then run `make generate`.

select
    _key as movement_id,
    cast(account_no as {{ type_of('text') }}) as account_no,
    cast(booking_date as date) as booking_date,
    cast(details as {{ type_of('text') }}) as details,
    cast(cheque_no as {{ type_of('text') }}) as cheque_no,
    cast(cheque_no__text as {{ type_of('text') }}) as cheque_no__text,
    cast(value_date as date) as value_date,
    cast(withdrawal_inr as numeric(18, 2)) as withdrawal_inr,
    cast(deposit_inr as numeric(18, 2)) as deposit_inr,
    cast(balance_inr as numeric(18, 2)) as balance_inr,
    cast(discrepancy as double precision) as discrepancy,
    _occurrence,
    _drop_id,
    _load_id,
    _line
from {{ source('bank', 'bank_transactions') }}
