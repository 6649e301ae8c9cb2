"""How Superset is served, by the embedded runtime and in its container; only the address is theirs to say."""

# One process: its memory is the cache (superset_config.py).
workers = 1
worker_class = "gthread"
threads = 8
timeout = 120
# Dashboards ask by long URLs.
limit_request_line = 0
# Nobody steers it but who started it; the socket would lie in a folder that is read-only in containers.
control_socket_disable = True
