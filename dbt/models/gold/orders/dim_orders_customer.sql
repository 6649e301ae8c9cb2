{{ write_differences('order_changes', key='customer_id', through=['int_orders_customers_history']) }}

with

history as (

    select * from {{ ref('int_orders_customers_history') }}

),

last_first as (

    select
        *,
        row_number() over (partition by customer_id order by place desc) as number_from_last
    from history

)

select
    customer_id,
    coalesce(customer_name, 'Unknown') as customer_name,
    customer_address,
    is_active,
    not is_current as is_deleted,
    case when is_current then valid_from else valid_to end as changed_at
from last_first
where number_from_last = 1
