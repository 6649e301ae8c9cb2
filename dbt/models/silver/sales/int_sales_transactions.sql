{{ follow_loads(
    ['customer_transactions', 'transaction_restatements'],
    key='transaction_id',
    touches='transaction_date',
    indexes=[{'columns': ['transaction_id'], 'unique': true}, {'columns': ['transaction_date']}]
) }}

with

touched as (

    select transaction_id
    from {{ keys_after(
        [
            (
                load_mark('customer_transactions'),
                ref('stg_customer_transactions'),
                ref('stg_customer_transactions__changes')
            ),
            (
                load_mark('transaction_restatements'),
                ref('stg_transaction_restatements'),
                ref('stg_transaction_restatements__changes')
            )
        ],
        key='transaction_id'
    ) }}

),

sales as (

    select * from {{ ref('stg_customer_transactions') }}

),

restatements as (

    select * from {{ ref('stg_transaction_restatements') }}

),

loads as (

    {{ load_times() }}

),

-- Column by column: what was restated is right where it says something. A sale that is only restated yet has no buyer.
together as (

    select
        touched.transaction_id,
        coalesce(restatements.customer_id, sales.customer_id) as customer_id,
        coalesce(restatements.transaction_date, sales.transaction_date) as transaction_date,
        coalesce(restatements.product_id, sales.product_id) as product_id,
        coalesce(restatements.product_name, sales.product_name) as product_name,
        coalesce(restatements.quantity, sales.quantity) as quantity,
        coalesce(restatements.price, sales.price) as price,
        coalesce(restatements.tax, sales.tax) as tax,
        sales.customer_first_name,
        sales.customer_last_name,
        sales.customer_email,
        sales.customer_phone,
        sales.customer_country,
        sales.customer_city,
        restatements.transaction_id is not null as is_restated,
        nullif(greatest(coalesce(sales._load_id, 0), coalesce(restatements._load_id, 0)), 0) as _load_id
    from touched
    left join sales on touched.transaction_id = sales.transaction_id
    left join restatements on touched.transaction_id = restatements.transaction_id

)

select
    -- The keys that loads touched are of raw's type, which Snowflake counts in fewer digits.
    cast(together.transaction_id as bigint) as transaction_id,
    {{ sales_customer_key() }} as customer_key,
    {{ sales_product_key() }} as product_key,
    {{ sales_location_key() }} as location_key,
    coalesce(together.transaction_date, cast('{{ var("sales_unknown_date") }}' as date)) as transaction_date,
    together.customer_id,
    together.product_id,
    together.product_name,
    together.customer_first_name,
    together.customer_last_name,
    together.customer_email,
    together.customer_phone,
    together.customer_country,
    together.customer_city,
    together.quantity,
    together.price,
    together.tax,
    cast(together.quantity * together.price as numeric(28, 2)) as revenue,
    together.quantity is not null and together.price is not null as is_counted,
    together.is_restated,
    loads.ended_at as loaded_at,
    together._load_id
from together
left join loads on together._load_id = loads.load_id
