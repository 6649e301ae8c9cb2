{{ config(materialized='view') }}

{{ orders_rows_of_now('products') }}
