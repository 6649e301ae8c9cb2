"""Columns from the path: what folders and names say is in the row and in the key, and equal bytes are other rows."""

from contextlib import closing

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger import Kind, LoadState
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice
from data_ingestion.rebuild import rebuild
from data_ingestion.warehouses import open_warehouse
from data_ingestion.withdraw import undo_withdrawal, withdraw

BERLIN, ROME = "sales/store=berlin/2026-01.csv", "sales/store=rome/2026-01.csv"
PATH = "sales/store={store}/{YYYY}-{MM}.csv"


def document(path: str = PATH, *, of_store: bool = True, **columns: dict[str, object]):
    store = {"name": "store", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 2,
             "customProperties": [{"property": "fromPath", "value": "store"}]}  # fmt: skip
    return {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "s", "version": "1.0.0", "domain": "d",
        "servers": [{"server": "landing", "type": "custom", "path": path, "format": "csv"}],
        "schema": [{
            "name": "sales",
            "customProperties": [{"property": "acceptance", "value": {"withdrawnShare": 1, "badShare": 1}}],
            "properties": [
                {"name": "sku", "logicalType": "string", "required": True, "primaryKey": True, "primaryKeyPosition": 1},
                {"name": "price", "logicalType": "number", "physicalType": "numeric(12,2)"},
                *([store] if of_store else []),
                *({"name": name, **column} for name, column in columns.items()),
            ],
        }],
    }  # fmt: skip


class Shop:
    """A landing with a dataset, and a warehouse."""

    def __init__(self, folder, warehouse):
        self.folder, self.warehouse = folder, warehouse
        (folder / "landing").mkdir()
        self.landing = FolderLanding(folder / "landing")
        self.agree(document())

    def agree(self, said):
        path = self.folder / "sales.odcs.yaml"
        path.write_text(yaml.safe_dump(said))
        self.contract = read_contract(path)

    def put(self, key, *lines):
        self.landing.write(key, "\n".join(["sku,price", *lines, ""]).encode())

    def load(self, **choice):
        plans = discover([self.contract], self.landing, self.warehouse, Choice(**choice)).plans
        return [
            report
            for plan in plans
            for report in load_drops(self.contract, self.landing, self.warehouse, plan.drops)
        ]

    def rows(self, *names):
        columns = ", ".join(f'"{name}"' for name in names or ("sku", "price", "store"))
        found = self.warehouse.session.rows(f"select {columns} from raw.sales")
        return sorted(tuple(map(str, row)) for row in found)


@pytest.fixture(params=["duckdb", "postgres"])
def shop(request, tmp_path):
    if request.param == "postgres":
        yield Shop(tmp_path, request.getfixturevalue("warehouse"))
        return
    with closing(open_warehouse(f"duckdb:///{tmp_path}/warehouse.duckdb")) as warehouse:
        warehouse.migrate()
        yield Shop(tmp_path, warehouse)


BOTH = [("A1", "1.00", "berlin"), ("A1", "1.00", "rome"), ("A2", "5.00", "berlin"), ("A2", "5.00", "rome")]


def fill(shop):
    shop.put(BERLIN, "A1,1", "A2,5")
    shop.put(ROME, "A1,1", "A2,5")


def test_equal_bytes_of_two_stores_are_two_drops_and_their_rows_are_the_stores(shop):
    fill(shop)
    reports = shop.load()
    assert [(report.state, report.fates.inserted) for report in reports] == [(LoadState.LOADED, 2)] * 2
    assert shop.rows() == BOTH
    assert shop.load() == []


def test_a_store_that_comes_later_with_bytes_that_are_known_is_new(shop):
    fill(shop)
    (shop.folder / "landing" / ROME).unlink()
    shop.load()
    shop.put(ROME, "A1,1", "A2,5")
    (report,) = shop.load()
    assert (report.kind, report.fates.inserted) == (Kind.NEW, 2)
    assert shop.rows() == BOTH


def test_the_same_store_under_another_name_is_a_duplicate(shop):
    shop.agree(document("sales/store={store}/*.csv"))
    fill(shop)
    shop.load()
    shop.put("sales/store=rome/again.csv", "A1,1", "A2,5")
    (report,) = shop.load()
    assert (report.kind, report.fates.inserted) == (Kind.DUPLICATE, 0)
    assert shop.rows() == BOTH


def test_a_correction_and_a_withdrawal_concern_one_store_and_can_be_undone(shop):
    fill(shop)
    shop.load()
    shop.put(ROME, "A1,9")
    shop.load()
    berlin = [row for row in BOTH if row[2] == "berlin"]
    assert shop.rows() == sorted([*berlin, ("A1", "9.00", "rome")])
    withdraw([shop.contract], shop.landing, shop.warehouse, ROME)
    assert (shop.rows(), shop.load()) == (berlin, [])
    undo_withdrawal([shop.contract], shop.landing, shop.warehouse, ROME)
    shop.load()
    assert shop.rows() == sorted([*berlin, ("A1", "9.00", "rome")])


def test_a_replay_reads_each_store_again_and_changes_nothing(shop):
    fill(shop)
    shop.load()
    before = shop.rows("sku", "price", "store", "_drop_id")
    reports = shop.load(full_refresh=True)
    assert [(report.kind, report.fates.unchanged) for report in reports] == [(Kind.REPLAY, 2)] * 2
    assert shop.rows("sku", "price", "store", "_drop_id") == before


def test_a_rebuild_reads_each_store_again(shop):
    fill(shop)
    shop.load()
    shop.agree(
        document(
            size={"logicalType": "string", "customProperties": [{"property": "mayBeAbsent", "value": True}]}
        )
    )
    rebuild(shop.contract, shop.landing, shop.warehouse)
    assert shop.rows() == BOTH
    assert shop.load() == []


def test_a_key_that_is_given_the_store_has_raw_made_again_and_the_other_store_loaded(shop):
    shop.agree(document("sales/store=*/{YYYY}-{MM}.csv", of_store=False))
    fill(shop)
    shop.load()
    assert shop.rows("sku", "price") == [("A1", "1.00"), ("A2", "5.00")]
    shop.agree(document())
    rebuild(shop.contract, shop.landing, shop.warehouse)
    assert len(shop.rows()) == 2
    (report,) = shop.load()
    assert report.fates.inserted == 2
    assert (shop.rows(), shop.load()) == (BOTH, [])


def test_a_column_that_is_not_in_the_key_comes_to_objects_that_shared_their_drop(shop):
    shop.agree(document("sales/store=*/{YYYY}-{MM}.csv", of_store=False))
    fill(shop)
    shop.load()
    said = document()
    (store,) = (column for column in said["schema"][0]["properties"] if column["name"] == "store")
    del store["primaryKey"], store["primaryKeyPosition"]
    shop.agree(said)
    assert {report.state for report in shop.load()} == {LoadState.LOADED}
    assert shop.rows() == [("A1", "1.00", "rome"), ("A2", "5.00", "rome")]
    assert shop.load() == []
    withdraw([shop.contract], shop.landing, shop.warehouse, ROME)
    assert shop.rows() == [("A1", "1.00", "berlin"), ("A2", "5.00", "berlin")]


def test_a_pattern_that_names_another_part_has_its_objects_read_again(shop):
    shop.agree(document("sales/*={store}/{YYYY}-{MM}.csv"))
    fill(shop)
    shop.load()
    shop.agree(document("sales/{store}/{YYYY}-{MM}.csv"))
    shop.load()
    assert {row[2] for row in shop.rows()} == {"store=berlin", "store=rome"}
    assert len(shop.rows()) == 4
    assert shop.load() == []


def test_a_part_may_be_of_any_type_and_what_is_none_of_it_is_quarantined(shop):
    def taken(type_, part, **more):
        return {"logicalType": type_, **more, "customProperties": [{"property": "fromPath", "value": part}]}

    shop.agree(document(
        "sales/store={store}/{YYYY}-{MM}-n{number}.csv",
        number=taken("integer", "number"), month=taken("date", "period"), period=taken("string", "period"),
        since=taken("timestamp", "period"), file=taken("string", "name"), stem=taken("string", "stem"),
        key=taken("string", "path"),
    ))  # fmt: skip
    shop.put("sales/store=rome/2026-02-n007.csv", "A1,1")
    shop.put("sales/store=rome/2026-02-nx.csv", "A2,1")
    shop.load()
    names = ("sku", "number", "month", "period", "file", "stem", "key")
    assert shop.rows(*names) == [
        (
            "A1",
            "7",
            "2026-02-01",
            "2026-02",
            "2026-02-n007.csv",
            "2026-02-n007",
            "sales/store=rome/2026-02-n007.csv",
        )
    ]
    assert shop.rows("since")[0][0].startswith("2026-02-01 00:00:00")
    quarantined = shop.warehouse.session.rows("select column_name, reason, raw_text from ops.quarantine")
    assert [tuple(row) for row in quarantined] == [("number", "not_an_integer", "A2,1")]
