{{ config(
    unique_key='customer_id',
    indexes=[
        {'columns': ['change_id'], 'unique': true},
        {'columns': ['customer_id']},
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
        'customers',
        key='customer_id',
        rows=ref('stg_orders_customers'),
        changes=ref('int_orders_changes'),
        touched=ref('stg_order_changes__changes'),
        gaps=ref('int_orders_unknown_history')
    ) }}

)

select
    touched_row_id as customer_id,
    after_customer_name as customer_name,
    after_is_active as is_active,
    after_customer_address as customer_address,
    after_updated_at as updated_at,
    after_updated_by as updated_by,
    after_created_at as created_at,
    after_created_by as created_by,
    {{- orders_version_columns() }}
from versions
