{{ orders_history('products') }}
