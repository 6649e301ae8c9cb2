"""The web domain's monthly drops on a real warehouse: what a correction, an overlap or a copy does to raw."""

import uuid
from pathlib import Path

import pytest

from data_ingestion.contract import Contract, read_contract
from data_ingestion.ledger import Fates

HEADER = "id,timestamp,email,country,ip,uri,action,tags\n"


@pytest.fixture
def events() -> Contract:
    return read_contract(Path("contracts/web/events.odcs.yaml"))


def test_ids_come_in_as_uuids_in_either_case_and_what_is_none_is_quarantined(
    landing, events, load, warehouse
):
    lower, upper = uuid.uuid4(), uuid.uuid4()
    rest = ",2026-01-05,ana@harbour.example,Peru,192.0.2.7,index,visit,\"['a', 'b']\"\n"
    path = landing.root / "2026/01/events.csv"
    path.parent.mkdir(parents=True)
    path.write_text(HEADER + f"{lower}{rest}" + f"{str(upper).upper()}{rest}" + f"{str(lower)[:-1]}{rest}")
    (report,) = load(events)
    assert report.fates == Fates(read=3, inserted=2, quarantined=1)
    held = warehouse.connection.execute("select event_id, tags from raw.events").fetchall()
    assert {row[0] for row in held} == {lower, upper}
    assert {row[1] for row in held} == {"['a', 'b']"}
    (bad,) = warehouse.quarantined("events", limit=10)
    assert (bad["column_name"], bad["reason"], bad["line"]) == ("event_id", "not_a_uuid", 4)
