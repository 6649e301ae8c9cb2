{{ config(
    unique_key='order_id',
    indexes=[
        {'columns': ['change_id'], 'unique': true},
        {'columns': ['order_id']},
        {'columns': ['ended_by_change_id']}
    ],
    pre_hook=[
        "{{ create_load_marks() }}",
        "{{ open_build_mark('order_changes', through=['int_orders_changes']) }}"
    ],
    post_hook="{{ save_load_marks() }}"
) }}

with

versions as (

    select *
    from {{ orders_versions(
        build_mark('order_changes', through=['int_orders_changes']),
        'orders',
        key='order_id',
        rows=ref('stg_orders_orders'),
        changes=ref('int_orders_changes'),
        touched=ref('stg_order_changes__changes'),
        gaps=ref('int_orders_unknown_history')
    ) }}

)

select
    touched_row_id as order_id,
    after_order_date as order_date,
    after_delivery_date as delivery_date,
    after_customer_id as customer_id,
    after_status as status,
    after_updated_at as updated_at,
    after_updated_by as updated_by,
    after_created_at as created_at,
    after_created_by as created_by,
    {{- orders_version_columns() }}
from versions
