"""The shipped gold models say of their columns whether they may be shown; else profiles would mask their counts."""

from pathlib import Path

import pytest
import yaml

GOLD = Path(__file__).resolve().parents[3] / "dbt/models/gold"
# Ids, which contracts leave open or which are hashes of what is personal: profiles show or mask them without a mark.
LEFT_OPEN = {
    "bank": {"account_no", "movement_id", "cheque_no", "details"},
    "fleet": {"organization_id", "vehicle_id", "operating_period_id"},
    "orders": {"customer_id", "order_id", "order_item_id", "product_id"},
    "sales": {"customer_key", "product_key", "location_key", "transaction_id", "product_id"},
    "web": {"event_id", "company"},
}
NAMING = {
    "details",
    "email",
    "company",
    "customer_name",
    "customer_address",
    "customer_email",
    "customer_phone",
    "latitude",
    "longitude",
}


def marks(domain):
    """By model and column the classification, or None."""
    for file in sorted((GOLD / domain).glob("*.yml")):
        for model in yaml.safe_load(file.read_text()).get("models") or []:
            for column in model["columns"]:
                meta = (column.get("config") or {}).get("meta") or {}
                yield model["name"], column["name"], meta.get("classification")


@pytest.mark.parametrize("domain", LEFT_OPEN)
def test_every_column_that_is_no_id_is_classified(domain):
    unmarked = {column for _, column, mark in marks(domain) if mark is None}
    assert unmarked <= LEFT_OPEN[domain]


@pytest.mark.parametrize("domain", LEFT_OPEN)
def test_no_name_address_or_place_is_public(domain):
    public = {column for _, column, mark in marks(domain) if mark == "public"}
    assert public.isdisjoint(NAMING)
    assert not any(column.endswith("located_at") for column in public)
