"""The DAGs that Airflow shows: one a domain, made from its contracts."""

from airflow.sdk import get_parsing_context
from goldworks_dags.domain import domains
from goldworks_dags.pipeline import pipeline

# A task also reads this file, and only waits for its own domain's DAG.
wanted = get_parsing_context().dag_id

for domain in domains():
    if wanted in (None, domain.name):
        globals()[domain.name] = pipeline(domain)  # discover → load → gate → transform → publish
