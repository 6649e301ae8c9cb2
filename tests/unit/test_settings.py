"""Settings: where lake and reports lie, which folders of the landing they take; where a source is."""

from traceback import format_exception

import pytest

from data_ingestion.errors import OperatorFault
from data_ingestion.settings import Settings, source_url


def settings(landing, **more):
    told = {
        "GOLDWORKS_WAREHOUSE_URL": "postgresql://loader@host/warehouse_dev",
        "GOLDWORKS_LANDING_URL": landing,
    }
    return Settings.from_environment({**told, **more})


@pytest.mark.parametrize(
    "landing", ["s3://bucket", "s3://bucket/in/", "file:///data/landing", "/data/landing"]
)
def test_lake_and_reports_lie_in_the_landing_apart_by_warehouse(landing):
    found = settings(landing)
    assert found.lake == f"{landing.rstrip('/')}/lake/warehouse_dev"
    assert found.reports == f"{landing.rstrip('/')}/reports/warehouse_dev"
    assert found.reserved == ("lake/", "reports/")


@pytest.mark.parametrize(
    "url",
    [
        "duckdb:///shop.duckdb",
        "duckdb:////data/of/shop.duckdb",
        "ducklake:postgresql://loader@host:5432/shop?data=s3://bucket/lake",
        "postgresql://loader@host/shop?sslmode=require",
    ],
)
def test_lake_and_reports_go_by_the_name_of_the_warehouse_not_by_its_path(url):
    found = settings("/landing", GOLDWORKS_WAREHOUSE_URL=url)
    assert (found.lake, found.reports) == ("/landing/lake/shop", "/landing/reports/shop")


def test_a_lake_elsewhere_takes_no_folder_of_the_landing():
    found = settings("s3://landing", GOLDWORKS_LAKE_URL="s3://lake/", GOLDWORKS_REPORTS_URL="/reports")
    assert (found.lake, found.reports) == ("s3://lake/warehouse_dev", "/reports/warehouse_dev")
    assert found.reserved == ()


def test_a_place_is_the_same_in_any_spelling():
    found = settings("file:///data/landing/", GOLDWORKS_LAKE_URL="/data/landing/../landing/archive")
    assert found.reserved == ("archive/", "reports/")
    neighbour = settings("/data/landing", GOLDWORKS_LAKE_URL="/data/landing2/lake")
    assert neighbour.reserved == ("reports/",)


@pytest.mark.parametrize("name", ["GOLDWORKS_LAKE_URL", "GOLDWORKS_REPORTS_URL"])
def test_the_landing_itself_can_be_no_lake(name):
    with pytest.raises(OperatorFault, match="GOLDWORKS_LAKE_URL"):
        settings("s3://landing", **{name: "s3://landing/"})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://shop:s3cr%zt@db/shop",
        "postgresql://shop:s3cret/x@db/shop",
        "postgres//shop:s3cret@db",
        "shop:s3cret@db/shop",
        "host=db password='s3cret",
    ],
)
def test_a_source_whose_address_cannot_be_read_is_told_without_its_password(url):
    with pytest.raises(OperatorFault, match="GOLDWORKS_SOURCE_SHOP_URL") as told:
        source_url({"GOLDWORKS_SOURCE_SHOP_URL": url}, "shop")
    assert "s3c" not in "".join(format_exception(told.value))


@pytest.mark.parametrize("url", ["postgresql://shop:a%2Fb@db:5432/shop", "host=db user=shop port=5432"])
def test_a_source_is_where_its_variable_says(url):
    assert source_url({"GOLDWORKS_SOURCE_SHOP_URL": url}, "shop") == url
