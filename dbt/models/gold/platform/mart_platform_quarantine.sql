-- A view, as the ledger is now: rows leave the quarantine without any model being built.
{{ config(materialized='view', contract={'enforced': true}) }}

with

promised as (

    {{ promised_datasets() }}

),

reasons as (

    select * from {{ source('ops', 'quarantine_reasons') }}

)

select
    promised.domain,
    reasons.dataset,
    coalesce(reasons.column_name, '(whole row)') as column_name,
    reasons.reason,
    cast(reasons.open_rows as bigint) as open_rows,
    cast(reasons.newest_load_id as bigint) as newest_load_id
from reasons
inner join promised on reasons.dataset = promised.dataset
