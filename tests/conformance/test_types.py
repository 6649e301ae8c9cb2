"""Every type to its limits: what a file says is what the warehouse holds, whichever it is."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.ledger import LoadState
from data_ingestion.load import load_drops
from tests.conformance.engines import ENGINES, open_engine

# By column: its types in the contract, and texts of a file with the values that they stand for.
COLUMNS = {
    "small": ("integer", "smallint", [("-32768", -(2**15)), ("32767", 2**15 - 1), ("0", 0)]),
    "middle": ("integer", "integer", [("-2147483648", -(2**31)), ("2147483647", 2**31 - 1), ("", None)]),
    "large": ("integer", "bigint", [(str(-(2**63)), -(2**63)), (str(2**63 - 1), 2**63 - 1), ("", None)]),
    "exact": (
        "number",
        "numeric(38,10)",
        [("9" * 28 + "." + "9" * 10, Decimal("9" * 28 + "." + "9" * 10)), ("-0.0000000001", Decimal("-1E-10")),
         ("0", Decimal(0))],
    ),
    "floating": (
        "number",
        "double precision",
        [("1.7976931348623157e308", 1.7976931348623157e308), ("-5e-324", -5e-324), ("-0", -0.0)],
    ),
    "flag": ("boolean", "boolean", [("true", True), ("false", False), ("", None)]),
    "day": ("date", "date", [("0001-01-01", date(1, 1, 1)), ("9999-12-31", date(9999, 12, 31)), ("", None)]),
    "moment": (
        "timestamp",
        "timestamptz",
        [("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
         ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
         ("2026-03-29T01:30:00+02:00", datetime(2026, 3, 28, 23, 30, tzinfo=UTC))],
    ),
    "name": (
        "string",
        "text",
        [("é" * 3000, "é" * 3000), ('"a ""b"", c\n\\ \t{}%s $x"', 'a "b", c\n\\ \t{}%s $x'), ("🙂", "🙂")],
    ),
    "number": (
        "string",
        "uuid",
        [("00000000-0000-0000-0000-000000000000", UUID(int=0)),
         ("ffffffff-ffff-ffff-ffff-ffffffffffff", UUID(int=2**128 - 1)), ("", None)],
    ),
}  # fmt: skip
ROWS = 3
# A floating number makes no key.
IN_KEYS = [name for name in COLUMNS if name != "floating"]


def write_contract(folder, *, by_occurrence):
    key = {} if by_occurrence else {"primaryKey": True, "primaryKeyPosition": 1}
    rule = {"property": "key", "value": {"rule": "occurrence", "columns": IN_KEYS}}
    properties = [
        {"name": name, "logicalType": logical, "physicalType": physical}
        for name, (logical, physical, _) in COLUMNS.items()
    ]
    document = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": "types", "version": "1.0.0", "status": "active",
        "domain": "store",
        "servers": [{"server": "landing", "type": "custom", "format": "csv", "path": "types/{YYYY}-{MM}/*.csv"}],
        "schema": [{
            "name": "types", "logicalType": "object", "customProperties": [rule] if by_occurrence else [],
            "properties": [{"name": "id", "logicalType": "integer", "required": True, **key}, *properties],
        }],
    }  # fmt: skip
    path = folder / "store" / "types.odcs.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False))
    return read_contract(path)


def texts(row):
    return [values[row][0] for _, _, values in COLUMNS.values()]


def same(found, wanted):
    if isinstance(wanted, float):
        return found == wanted and math.copysign(1, found) == math.copysign(1, wanted)
    if isinstance(wanted, UUID):  # some warehouses have them as text
        return str(found) == str(wanted)
    return found == wanted


@pytest.mark.parametrize("by_occurrence", [False, True])
@pytest.mark.parametrize("name", ENGINES)
def test_values_come_back_as_they_were_written(name, by_occurrence, tmp_path, engine_url):
    engine = open_engine(name, tmp_path, engine_url)
    (tmp_path / "landing").mkdir()
    landing = FolderLanding(tmp_path / "landing")
    contract = write_contract(tmp_path / "contracts", by_occurrence=by_occurrence)
    lines = [",".join(["id", *COLUMNS]), *(",".join([str(row), *texts(row)]) for row in range(ROWS))]
    try:
        landing.write("types/2026-01/a.csv", "\n".join(lines).encode())
        (report,) = load(engine, contract, landing)
        assert (report.state, report.fates.inserted) == (LoadState.LOADED, ROWS), report.error
        for column, (_, _, values) in COLUMNS.items():
            wanted = [value for _, value in values]
            found = [
                row[0] for row in engine.warehouse.session.rows(f"select {column} from raw.types order by id")
            ]
            assert all(map(same, found, wanted)), (column, found)
        # The same values again, in another drop: none of them is taken for another value.
        landing.write("types/2026-02/b.csv", "\n".join(lines).encode() + b"\n")
        (again,) = load(engine, contract, landing)
        assert (again.state, again.fates.unchanged) == (LoadState.LOADED, ROWS), again
    finally:
        for table in ("raw.types", "raw.types__history"):
            engine.warehouse.session.run(f"drop table if exists {table}")
        engine.empty()
        engine.close()


def load(engine, contract, landing):
    (plan,) = discover([contract], landing, engine.warehouse).plans
    return list(load_drops(contract, landing, engine.warehouse, plan.drops))
