"""Settings: where lake and reports lie, and which folders of the landing they take."""

import pytest

from data_ingestion.errors import OperatorFault
from data_ingestion.settings import Settings


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


def test_a_lake_elsewhere_takes_no_folder_of_the_landing():
    found = settings("s3://landing", GOLDWORKS_LAKE_URL="s3://lake/", GOLDWORKS_REPORTS_URL="/reports")
    assert (found.lake, found.reports) == ("s3://lake/warehouse_dev", "/reports/warehouse_dev")
    assert found.reserved == ()


def test_a_place_is_the_same_in_any_spelling():
    found = settings("file:///data/landing/", GOLDWORKS_LAKE_URL="/data/landing/../landing/archive")
    assert found.reserved == ("archive/", "reports/")
    neighbour = settings("/data/landing", GOLDWORKS_LAKE_URL="/data/landing2/lake")
    assert neighbour.reserved == ("reports/",)


def test_the_landing_itself_can_be_no_lake():
    with pytest.raises(OperatorFault, match="GOLDWORKS_LAKE_URL"):
        _ = settings("s3://landing", GOLDWORKS_LAKE_URL="s3://landing/").reserved
