{{ config(tags=['bank']) }}
-- What landed is what is shown: every layer has the same movements and sums for each account.

{%- set rows = {
    'movements': 'count(*)', 'withdrawals_inr': 'sum(withdrawal_inr)', 'deposits_inr': 'sum(deposit_inr)'
} %}
{%- set sums = {
    'movements': 'sum(movements)', 'withdrawals_inr': 'sum(withdrawals_inr)', 'deposits_inr': 'sum(deposits_inr)'
} %}

{{ totals_agree(
    [
        {
            'layer': 'bronze',
            'of': [ref('stg_bank_transactions')],
            'totals': rows,
            'followed_by': ['int_bank_movements']
        },
        {'layer': 'facts', 'of': [ref('fct_bank_movement')], 'totals': rows},
        {'layer': 'accounts', 'of': [ref('dim_bank_account')], 'totals': sums},
        {'layer': 'days', 'of': [ref('mart_bank_daily_balance')], 'totals': sums},
        {'layer': 'months', 'of': [ref('mart_bank_monthly_flow')], 'totals': sums}
    ],
    by='account_no'
) }}
