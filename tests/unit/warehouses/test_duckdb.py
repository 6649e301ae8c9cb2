"""DuckDB and DuckLake as warehouses: what their URLs name, and what they say where something is wrong."""

import subprocess
import sys

import pytest

from data_ingestion.errors import OperatorFault, UsageFault
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.duckdb import DuckdbWarehouse
from data_ingestion.warehouses.ducklake.session import Place


def test_a_url_names_a_file_in_this_folder_or_from_the_root():
    assert str(DuckdbWarehouse.connect("duckdb:///a.duckdb").session.path) == "a.duckdb"
    assert str(DuckdbWarehouse.connect("duckdb:////data/a.duckdb").session.path) == "/data/a.duckdb"
    with pytest.raises(OperatorFault, match="names no file"):
        open_warehouse("duckdb://")


def test_a_lake_is_a_catalogue_and_a_folder():
    place = Place.of("ducklake:postgresql://me:p%40ss'%20x@db:5433/cat?data=s3://bucket/lake")
    assert place == Place("postgresql://me:p%40ss'%20x@db:5433/cat", "s3://bucket/lake/")
    assert place.as_libpq == "host='db' port='5433' dbname='cat' user='me' password='p@ss'' x'"


@pytest.mark.parametrize(
    "url",
    ["ducklake:", "ducklake:postgresql://db/cat", "ducklake:/a/file?data=x", "ducklake:mysql://db/c?data=x"],
)
def test_a_lake_that_can_not_be_found_is_refused_with_the_form_of_its_url(url):
    with pytest.raises(OperatorFault, match=r"write ducklake:postgresql://USER"):
        open_warehouse(url)


def test_another_kind_of_warehouse_is_refused():
    with pytest.raises(OperatorFault, match="a warehouse mysql:// is not supported"):
        open_warehouse("mysql://db/x")


def test_a_file_that_another_process_writes_to_says_so(tmp_path):
    path = tmp_path / "a.duckdb"
    holds = (
        f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holds], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout.readline() == "open\n"
        warehouse = open_warehouse(f"duckdb:///{path}")
        with pytest.raises(OperatorFault, match="one process at a time writes to a DuckDB file"):
            warehouse.migrate()
        other.stdin.close()


def test_a_command_that_only_looks_makes_no_file(tmp_path):
    warehouse = open_warehouse(f"duckdb:///{tmp_path}/a.duckdb")
    warehouse.read_only()
    assert not warehouse.is_made
    assert warehouse.known_objects("things", []).objects == {}
    warehouse.close()
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_of_a_later_version_is_refused(tmp_path):
    warehouse = open_warehouse(f"duckdb:///{tmp_path}/a.duckdb")
    warehouse.migrate()
    warehouse.session.run("insert into ops.migrations values (999, 'later', now())")
    with pytest.raises(OperatorFault, match="upgrade goldworks"):
        warehouse.migrate()
    warehouse.close()
    again = open_warehouse(f"duckdb:///{tmp_path}/a.duckdb")
    with pytest.raises(OperatorFault, match="upgrade goldworks"):
        again.read_only()
    again.close()


def test_a_query_that_is_wrong_is_whoever_typed_its_fault(tmp_path):
    warehouse = open_warehouse(f"duckdb:///{tmp_path}/a.duckdb")
    warehouse.migrate()
    with pytest.raises(UsageFault, match="the query failed"):
        warehouse.session.query("select * from nothing")
    warehouse.close()


def test_a_file_made_before_there_were_leases_goes_on(tmp_path):
    warehouse = open_warehouse(f"duckdb:///{tmp_path}/a.duckdb")
    warehouse.migrate()
    session = warehouse.session
    session.run("insert into ops.datasets (dataset, raw_rows) values ('things', 7)")
    session.run("alter table ops.loads drop column lease_until")
    session.run("drop table ops.writer")
    session.run("delete from ops.migrations where step > 10")
    warehouse.migrate()
    warehouse.migrate()
    assert session.rows("select step, name from ops.migrations order by step") == [
        (10, "0010_ledger.sql"),
        (11, "0011_leases.sql"),
    ]
    assert session.rows("select dataset, raw_rows from ops.datasets") == [("things", 7)]
    assert session.rows("select lease_until from ops.loads") == []
    warehouse.close()
