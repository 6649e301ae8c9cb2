"""How Superset is served, by the embedded runtime and in its container; only the address is theirs to say."""

# One process: its memory is the cache (superset_config.py).
workers = 1
worker_class = "gthread"
threads = 8
timeout = 120
# Dashboards ask by long URLs.
limit_request_line = 0
