{{ orders_history('orders') }}
