{{ config(contract={'enforced': true}) }}

with

days as (

    select
        *,
        cast(date_trunc('month', balance_date) as date) as month_start
    from {{ ref('mart_bank_daily_balance') }}

),

ends as (

    select
        *,
        row_number() over (partition by account_no, month_start order by balance_date desc) as day_from_month_end
    from days

)

select
    account_no,
    month_start,
    cast(sum(movements) as bigint) as movements,
    cast(sum(withdrawals_inr) as numeric(28, 2)) as withdrawals_inr,
    cast(sum(deposits_inr) as numeric(28, 2)) as deposits_inr,
    cast(sum(deposits_inr) - sum(withdrawals_inr) as numeric(28, 2)) as net_flow_inr,
    cast(max(case when day_from_month_end = 1 then closing_balance_inr end) as numeric(18, 2)) as closing_balance_inr,
    min(min(balance_date)) over (partition by month_start) as covered_from,
    max(max(balance_date)) over (partition by month_start) as covered_to
from ends
group by account_no, month_start
