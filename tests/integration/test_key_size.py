"""Keys at the edge of what an index holds: none that the checks let through is refused by the server."""

import random
import string

import pytest
import yaml

from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import read_contract
from data_ingestion.ledger import Fates
from tests.integration.conftest import write_things

LARGEST = {
    "bigint": "-9223372036854775808", "integer": "-2147483648", "smallint": "-32768", "boolean": "true",
    "date": "2026-01-31", "timestamptz": "2026-01-31T23:59:59.999999Z",
    "uuid": "ffffffff-ffff-4fff-bfff-ffffffffffff", "numeric(38,2)": f"-{'9' * 36}.99",
    "numeric(18,17)": f"9.{'9' * 17}", "numeric(5,0)": "99999",
}  # fmt: skip
LOGICAL = {
    "bigint": "integer", "integer": "integer", "smallint": "integer", "boolean": "boolean", "date": "date",
    "timestamptz": "timestamp", "uuid": "string", "text": "string",
}  # fmt: skip
KINDS = list(LARGEST)


def written(folder, types):
    path = write_things(folder)
    document = yaml.safe_load(path.read_text())
    (schema,) = document["schema"]
    schema["properties"] = [
        {
            "name": f"c{n}", "logicalType": LOGICAL.get(kind, "number"), "physicalType": kind, "required": True,
            "primaryKey": True, "primaryKeyPosition": n + 1,
        }
        for n, kind in enumerate(types)
    ]  # fmt: skip
    path.write_text(yaml.safe_dump(document))
    return read_contract(path)


def drawn_types(seed):
    chance = random.Random(seed)
    texts = chance.randint(1, 3)
    kinds = [chance.choice(KINDS) for _ in range(chance.choice([0, 1, 12, 32 - texts]))] + ["text"] * texts
    chance.shuffle(kinds)
    return kinds


TYPES = [["text", *["bigint"] * 12], ["text", *["bigint"] * 31], ["numeric(38,2)"] * 31 + ["text"]]


@pytest.mark.parametrize(
    "types", [*TYPES, *map(drawn_types, range(9))], ids=lambda types: f"{len(types)}_columns"
)
def test_a_key_as_long_as_the_checks_allow_fits_and_one_longer_is_quarantined(
    types, landing, warehouse, load, tmp_path
):
    contract = written(tmp_path, types)
    header = [column.name for column in contract.columns]
    most = RowChecks(contract, header, "k").most_key_bytes
    chance = random.Random(len(types))

    def row(length):
        """A row whose texts have so many bytes together, and nothing that could be compressed."""
        at = [n for n, kind in enumerate(types) if kind == "text"]
        first = chance.choice([1, 126, 127, length - len(at) + 1]) if len(at) > 1 else length
        lengths = [first, *[1] * (len(at) - 1)]
        lengths[-1] += length - sum(lengths)
        letters = string.ascii_letters + string.digits
        cells = [LARGEST.get(kind, "") for kind in types]
        for place, size in zip(at, lengths, strict=True):
            cells[place] = "".join(chance.choices(letters, k=size))
        return ",".join(cells)

    lines = [
        ",".join(header),
        *(row(length) for length in (most, most - 1, most - 2, most - 3, most + 1)),
        "",
    ]
    landing.write("things/2026-01/a.csv", "\n".join(lines).encode())
    (report,) = load(contract)
    assert (report.error, report.fates) == (None, Fates(read=5, quarantined=1, inserted=4))
    (bad,) = warehouse.quarantined("things")
    assert (bad["reason"], bad["line"]) == ("key_too_long", 6)
