"""A trial says of a file what a first load of it comes to, and leaves nothing behind."""

import random
from decimal import Decimal

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import DropFault, UsageFault
from data_ingestion.load import load_drops
from data_ingestion.trial import find_contract, try_file
from tests.integration.conftest import write_things

KEY = "things/2026-06/a.csv"


def content(*lines):
    return "\n".join(["id,amount,note", *lines, ""]).encode()


def lay(landing, data, key=KEY):
    landing.write(key, data)
    return landing.root / key


def load(contract, landing, warehouse):
    (plan,) = discover([contract], landing, warehouse).plans
    (report,) = load_drops(contract, landing, warehouse, plan.drops)
    return report


def by_occurrence(document):
    schema = document["schema"][0]
    del schema["properties"][0]["primaryKey"], schema["properties"][0]["primaryKeyPosition"]
    schema["customProperties"].append(
        {"property": "key", "value": {"rule": "occurrence", "columns": ["id", "note"]}}
    )


@pytest.mark.parametrize("edit", [lambda document: None, by_occurrence])
@pytest.mark.parametrize("seed", range(3))
def test_a_trial_counts_as_a_load_does(changed, landing, warehouse, edit, seed):
    things, chance = changed(edit), random.Random(seed)
    lines = [
        f"{chance.randint(1, 60)},{chance.choice(['1', '2.50', '7'] * 7 + ['bad'])},{chance.choice(['a', 'b'])}"
        for _ in range(200)
    ]
    path = lay(landing, content(*lines))
    trial = try_file(path, things, KEY, most_bad=1000)
    report = load(things, landing, warehouse)
    fates = report.fates
    assert report.state == "loaded"
    assert trial.refused is None
    assert (trial.read, trial.rows, trial.repeated, trial.quarantined) == (
        fates.read, fates.inserted, fates.repeated, fates.quarantined,
    )  # fmt: skip
    assert trial.read == trial.rows + trial.repeated + trial.quarantined
    (found,) = warehouse.connection.execute(
        """select (select count(*) from ops.conflicts), sum(amount), sum(id) from raw.things"""
    )
    assert (trial.conflicts, trial.sums["amount"]) == found[:2]
    assert trial.sums == ({"id": found[2], "amount": found[1]})
    quarantined = warehouse.quarantined(limit=1000)
    assert [(row.line, row.column, row.reason, row.text) for row in trial.bad] == [
        (row["line"], row["column_name"], row["reason"], row["raw_text"]) for row in quarantined
    ]


def test_a_file_that_would_be_refused_is_read_and_told(tmp_path, landing, warehouse):
    things = read_contract(write_things(tmp_path))
    things_with_limits = read_contract(strict(tmp_path))
    path = lay(landing, content("1,bad,a", "2,bad,b", "3,1,c"))
    assert try_file(path, things, KEY, 10).refused is None
    trial = try_file(path, things_with_limits, KEY, 10)
    assert "2 of 3 rows violate the contract, more than 50%" in trial.refused
    assert (trial.rows, trial.quarantined) == (1, 2)
    assert trial.refused == load(things_with_limits, landing, warehouse).error


def strict(folder):
    path = write_things(folder)
    document = yaml.safe_load(path.read_text())
    document["schema"][0]["customProperties"] = []
    path.write_text(yaml.safe_dump(document))
    return path


def test_a_file_that_is_not_what_its_contract_says_is_a_fault_of_it(things, landing):
    for data, what in ((b"%PDF-1.7\n", "a PDF"), (b"a;b\n1;2\n", "has ';' between its cells")):
        with pytest.raises(DropFault, match=what):
            try_file(lay(landing, data), things, KEY, 10)


def test_of_a_file_without_rows_the_sums_are_zero(things, landing):
    trial = try_file(lay(landing, content()), things, KEY, 10)
    assert (trial.read, trial.rows, trial.sums) == (0, 0, {"id": 0, "amount": Decimal(0)})


def test_only_so_many_bad_rows_are_shown_and_all_are_counted(things, landing):
    trial = try_file(lay(landing, content(*[f"{number},bad,a" for number in range(50)])), things, KEY, 3)
    assert ([row.line for row in trial.bad], trial.quarantined) == ([2, 3, 4], 50)


def test_a_contract_is_found_by_the_end_of_a_path(things, landing, tmp_path):
    path = lay(landing, content("1,1,a"))
    assert find_contract([things], path) == (things, KEY)
    with pytest.raises(UsageFault, match=r"lies where no contract looks.*\n.*--dataset: things"):
        find_contract([things], tmp_path / "other.csv")
    with pytest.raises(UsageFault, match="matches several contracts"):
        find_contract([things, things], path)
