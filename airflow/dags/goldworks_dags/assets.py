"""Assets: what other DAGs can wait for, under the same name in every environment.

Their URIs are their names: one with a scheme would differ between environments or, invented, make Airflow import every
provider (Amazon's among them) to ask who knows it, 0.7 s at each parse and task.
"""

from airflow.sdk import Asset, AssetAlias

from goldworks_dags.domain import Domain


def raw_asset(dataset: str) -> Asset:
    """A dataset as it lies in raw."""
    return Asset(name=f"raw.{dataset}", group="raw")


def gold_asset(model: str) -> Asset:
    """A model that dashboards and reports read."""
    return Asset(name=f"gold.{model}", group="gold")


def raw_of(domain: Domain) -> AssetAlias:
    """Those raw assets of a domain that a run has changed; an alias, because only the run knows which."""
    return AssetAlias(name=f"raw.{domain.name}", group="raw")


def gold_of(domain: Domain) -> list[Asset]:
    """The gold assets of a domain: each build publishes all of them."""
    return [gold_asset(model) for model in domain.models.get("gold", ())]


def sources_of(domain: Domain) -> list[Asset]:
    """The raw assets that a domain's gold is built from: the way from raw to gold in Airflow's graph of assets."""
    return [raw_asset(contract.dataset) for contract in domain.contracts] if domain.models.get("gold") else []
