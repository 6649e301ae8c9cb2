"""The DAGs that Airflow shows: one a domain, made from its contracts."""

from goldworks_dags.domain import domains
from goldworks_dags.pipeline import pipeline

for domain in domains():
    globals()[domain.name] = pipeline(domain)  # discover → load → gate → transform → publish
