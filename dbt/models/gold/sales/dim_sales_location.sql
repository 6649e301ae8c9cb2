{{ write_differences('int_sales_transactions', key='location_key') }}

with

transactions as (

    select * from {{ ref('int_sales_transactions') }}

)

select
    location_key,
    coalesce(customer_country, 'Unknown') as country,
    coalesce(customer_city, 'Unknown') as city,
    false as is_unknown,
    max(loaded_at) as loaded_at
from transactions
where location_key <> 'unknown'
group by location_key, customer_country, customer_city
union all
select
    'unknown' as location_key,
    'Unknown' as country,
    'Unknown' as city,
    true as is_unknown,
    max(loaded_at) as loaded_at
from transactions
where location_key = 'unknown'
