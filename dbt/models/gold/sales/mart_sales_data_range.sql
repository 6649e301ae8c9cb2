{{ config(contract={'enforced': true}) }}

{{ data_range('sales', ref('dim_sales_date'), 'calendar_date', 'calendar_date', 'loaded_at is not null') }}
