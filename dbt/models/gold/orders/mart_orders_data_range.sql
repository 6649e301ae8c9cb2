{{ config(contract={'enforced': true}) }}

{{ data_range('orders', ref('fct_orders_order'), 'created_at', 'changed_at') }}
