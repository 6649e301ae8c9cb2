"""Start-up: a run that finds nothing new is over before Arrow would be imported."""

from tests.integration.conftest import write_things
from tests.unit.test_start_up import modules_after

# pydantic: of the standard's library only its JSON Schema is read, its model is what costs
SLOW = {
    "pyarrow", "numpy", "boto3", "botocore", "openpyxl", "pydantic", "data_ingestion.reading", "data_ingestion.load",
    "data_ingestion.merge.load",
}  # fmt: skip


def test_a_run_with_nothing_new_imports_nothing_that_reads_a_file(warehouse_url, landing, tmp_path):
    write_things(tmp_path)
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1,a\n")
    place = {
        "GOLDWORKS_WAREHOUSE_URL": warehouse_url,
        "GOLDWORKS_LANDING_URL": landing.url,
        "GOLDWORKS_CONTRACTS": str(tmp_path),
    }
    assert "pyarrow" in modules_after("load", **place)
    assert modules_after("load", **place) & SLOW == set()
    assert "rich" not in modules_after("load", "--json", **place)
