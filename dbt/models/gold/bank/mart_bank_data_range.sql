{{ config(contract={'enforced': true}) }}

{{ data_range('bank', ref('dim_bank_account'), 'first_booking_date', 'last_booking_date') }}
