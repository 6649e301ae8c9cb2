{{ write_differences('int_sales_transactions', key='transaction_id', through=['fct_sales_transaction']) }}

with

transactions as (

    select * from {{ ref('fct_sales_transaction') }}

),

products as (

    select * from {{ ref('dim_sales_product') }}

),

locations as (

    select * from {{ ref('dim_sales_location') }}

),

dates as (

    select * from {{ ref('dim_sales_date') }}

)

select
    transactions.transaction_id,
    dates.calendar_date as transaction_date,
    transactions.customer_key,
    products.product_id,
    -- A dimension that a failure has left behind may lack a member; the next build puts its name in.
    coalesce(products.product_name, 'Unknown') as product_name,
    coalesce(locations.country, 'Unknown') as country,
    coalesce(locations.city, 'Unknown') as city,
    transactions.price,
    transactions.tax,
    transactions.is_restated,
    transactions.loaded_at
from transactions
left join products on transactions.product_key = products.product_key
left join locations on transactions.location_key = locations.location_key
left join dates on transactions.date_key = dates.date_key
where transactions.quantity is null
