{{ orders_history('order_items') }}
