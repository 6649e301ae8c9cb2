{{ orders_history('customers') }}
