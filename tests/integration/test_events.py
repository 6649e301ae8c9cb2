"""Events: each step tells what it did, in numbers; no value of the data gets into the log, whatever becomes of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_ingestion import events
from data_ingestion.cli.commands import main
from data_ingestion.lake.archive import archive
from data_ingestion.lake.compaction import compact
from data_ingestion.lake.ledger import LakeLedger
from data_ingestion.landing import FolderLanding
from data_ingestion.withdraw import withdraw
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, put

SECRET = "zanzibar"


@pytest.fixture
def told(tmp_path: Path):
    """The events so far, as they were written; afterwards nobody listens."""
    file = tmp_path / "steps.jsonl"
    events.send_to(str(file))
    yield lambda: [json.loads(line) for line in file.read_text().splitlines()]
    events.send_to(None)


def of(told: Callable[[], list[dict[str, Any]]], step: str) -> list[dict[str, Any]]:
    return [line for line in told() if line["step"] == step]


def test_each_step_of_a_drop_tells_its_counts(things, landing, warehouse, load, told, tmp_path):
    put(landing, JANUARY, "1,1,jan", "2,x,bad")
    put(landing, FEBRUARY, "2,2,feb")
    load(things)
    (tmp_path / "lake").mkdir()
    lake = FolderLanding(tmp_path / "lake")
    archive(things, landing, lake, LakeLedger(warehouse.session))
    compact("things", lake, LakeLedger(warehouse.session))
    withdraw([things], landing, warehouse, FEBRUARY)
    dataset, landing_line = of(told, "discover")
    assert (dataset["dataset"], dataset["to_load"], dataset["new"]) == ("things", 2, 2)
    assert (landing_line["unresolved"], landing_line["unfinished"]) == (0, 0)
    (loaded,) = of(told, "load")
    assert (loaded["outcome"], loaded["drops"], loaded["read"], loaded["inserted"], loaded["quarantined"]) == (
        "loaded", 2, 3, 2, 1,
    )  # fmt: skip
    assert loaded["last_load"] == loaded["first_load"] + 1
    (archived,) = of(told, "archive")
    assert (archived["drops"], archived["records"], archived["files"]) == (2, 3, 2)
    assert of(told, "compact")[0]["files_after"] == 2
    assert of(told, "withdraw")[0]["withdrawn"] == 1
    for line in told():
        assert {"at", "run", "step", "outcome"} <= line.keys()
    assert len({line["run"] for line in told()}) == 1


def test_no_value_of_a_drop_gets_into_the_log(things, landing, warehouse, load, told, tmp_path):
    """Not of good rows, not of quarantined ones, not of a drop that fails, and not of its name."""
    good = [f"{number},1,{SECRET}" for number in range(20)]
    put(
        landing, f"things/2026-01/{SECRET}.csv", *good, f"{SECRET},1,x", f"77,{SECRET},x", f'78,"{SECRET}"x,y'
    )
    put(landing, f"things/2026-02/{SECRET}.csv", *[f"{SECRET}{number},1,x" for number in range(30)])
    landing.write("things/2026-03/c.csv", f"id,{SECRET},note\n1,2,3\n".encode())
    landing.write(f"{SECRET}.txt", b"nobody's")
    load(things)
    (tmp_path / "lake").mkdir()
    archive(things, landing, FolderLanding(tmp_path / "lake"), LakeLedger(warehouse.session))
    assert sorted((line["outcome"], line["quarantined"]) for line in of(told, "load")) == [
        ("failed", 0), ("failed", 30), ("loaded", 3),
    ]  # fmt: skip
    assert SECRET not in json.dumps(told())


def test_an_error_that_quotes_a_value_is_told_by_its_kind(things, told):
    with pytest.raises(ValueError, match=SECRET), events.step("archive", dataset="things"):
        raise ValueError(SECRET)
    (line,) = told()
    assert (line["outcome"], line["error"]) == ("failed", "ValueError")
    assert SECRET not in json.dumps(line)


def test_a_fact_that_is_neither_number_nor_known_word_is_refused(told):
    with pytest.raises(TypeError, match="numbers"):
        events.write_event("load", object_key=SECRET)
    assert told() == []


def test_a_command_writes_where_the_variable_says(
    tmp_path, warehouse_url, landing, monkeypatch, capsys
):  # fmt: skip
    write_things(tmp_path)
    put(landing, JANUARY, "1,1,jan")
    asked = ["--landing", str(landing.root), "--contracts", str(tmp_path), "--warehouse", warehouse_url]
    (tmp_path / "contracts").mkdir()
    (tmp_path / "store").rename(tmp_path / "contracts" / "store")
    asked[3] = str(tmp_path / "contracts")

    def run(command: str) -> str:
        with pytest.raises(SystemExit):
            main([command, *asked])
        return capsys.readouterr().err

    assert run("plan") == ""
    monkeypatch.setenv("GOLDWORKS_LOG", "-")
    assert [json.loads(line)["step"] for line in run("load").splitlines()] == ["discover", "discover", "load"]
    monkeypatch.setenv("AIRFLOW_CTX_DAG_RUN_ID", "manual__2026-03-02T00:00:00+00:00")
    asked[1] = "/nowhere"
    failed = json.loads(run("load").splitlines()[0])
    assert (failed["step"], failed["error"], failed["exit_code"]) == ("command", "OperatorFault", 5)
    assert failed["run"] == "manual__2026-03-02T00:00:00+00:00"
    monkeypatch.setenv("GOLDWORKS_LOG", str(tmp_path / "no" / "such" / "folder"))
    assert "can't be written" in run("load")
    events.send_to(None)


def test_a_replay_and_a_correction_are_told_as_what_they_are(things, landing, load, told, tmp_path):
    put(landing, JANUARY, "1,1,jan")
    load(things)
    put(landing, JANUARY, "1,2,jan")
    load(things)
    load(replace(things, columns=(*things.columns[:-1], replace(things.columns[-1], max_length=2))))
    assert [line["kind"] for line in of(told, "load")] == ["new", "corrected", "replay"]


def test_in_a_task_the_lines_stand_in_its_log(things, landing, load, caplog):
    put(landing, JANUARY, "1,1,jan")
    load(things)
    assert not caplog.records
    events.send_to(None, into_log=True)
    put(landing, FEBRUARY, "2,1,feb")
    load(things)
    events.send_to(None)
    assert [json.loads(record.message)["step"] for record in caplog.records] == [
        "discover",
        "discover",
        "load",
    ]
