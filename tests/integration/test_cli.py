"""Command line: what a person sees, what a machine reads, and the exit code that says who must act."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from data_ingestion.cli.commands import app
from tests.integration.conftest import write_things

JANUARY = "things/2026-01/a.csv"
GROUP = get_command(app)
assert isinstance(GROUP, TyperGroup)
COMMANDS = [
    " ".join(filter(None, (name, below)))
    for name, command in GROUP.commands.items()
    for below in ("", *getattr(command, "commands", ()))
]


@pytest.fixture
def goldworks(warehouse_url, landing, tmp_path):
    """Runs `goldworks` on the test's warehouse, landing and the contract of `things`."""
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    write_things(contracts)

    def run(*arguments, **environment):
        settings = {
            "GOLDWORKS_WAREHOUSE_URL": warehouse_url, "GOLDWORKS_LANDING_URL": landing.url,
            "GOLDWORKS_CONTRACTS": str(contracts), "PYTHONPATH": ".", "COLUMNS": "200",
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "data_ingestion", *arguments],
            env={**os.environ, **settings, **environment}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run


def put(landing, *rows):
    landing.write(JANUARY, "\n".join(["id,amount,note", *rows, ""]).encode())


def test_a_load_tells_of_every_row_and_of_objects_without_a_contract(goldworks, landing):
    put(landing, "1,1,a", "2,two,b")
    landing.write("notes.txt", b"?")
    done = goldworks("load")
    assert done.returncode == 0, done.stderr
    assert "1 new · 1 unresolved" in done.stdout
    assert "2 read = 1 quarantined + 1 inserted" in done.stdout
    assert "notes.txt  no contract matches" in done.stdout


def test_a_second_load_has_nothing_to_do(goldworks, landing):
    put(landing, "1,1,a")
    goldworks("load")
    assert "1 known" in goldworks("load").stdout


def test_a_plan_says_what_and_why_and_changes_nothing(goldworks, landing):
    put(landing, "1,1,a")
    assert "not loaded yet" in goldworks("plan").stdout
    (drop,) = json.loads(goldworks("plan", "--json").stdout)["drops"]
    assert (drop["kind"], drop["object"]["key"]) == ("new", JANUARY)
    assert json.loads(goldworks("status", "--json").stdout) == {
        "datasets": [], "loads": [], "withdrawn": [], "unresolved": [], "held": [], "findings": [],
        "faults": [],
    }  # fmt: skip


def test_json_is_one_document_with_the_fates_of_each_drop(goldworks, landing):
    put(landing, "1,1,a")
    (load,) = json.loads(goldworks("load", "--json").stdout)["loads"]
    assert (load["state"], load["fates"]["read"], load["fates"]["inserted"]) == ("loaded", 1, 1)


def test_quarantined_rows_are_shown_with_place_reason_and_text(goldworks, landing):
    put(landing, "1,1,a", "2,two,b")
    goldworks("load")
    shown = goldworks("quarantine").stdout
    assert f"{JANUARY}:3: amount: not_a_number" in shown
    assert "2,two,b" in shown
    assert goldworks("quarantine", "show", "1").stdout == shown
    assert goldworks("quarantine", "show", "2").stdout.split(maxsplit=1)[1] == "load 2 has none\n"


def test_a_failed_drop_ends_with_the_senders_exit_code_and_the_others_are_in(goldworks, landing):
    landing.write(JANUARY, b"id,amount,colour\n1,1,red\n")
    landing.write("things/2026-02/a.csv", b"id,amount,note\n2,2,b\n")
    done = goldworks("load")
    assert done.returncode == 4
    assert "unknown 'colour'" in done.stdout
    assert "1 of 2 drops failed; the others are loaded" in done.stderr
    assert "colour" not in done.stderr  # it stands in the lines above
    assert done.stderr.endswith(f"to end that:\n  goldworks withdraw {JANUARY}\n")


def test_of_drops_that_all_failed_none_is_said_to_be_in(goldworks, landing):
    landing.write(JANUARY, b"id,amount,colour\n1,1,red\n")
    landing.write("things/2026-02/b.csv", b"id,amount,colour\n1,1,red\n")
    done = goldworks("load")
    assert done.stdout.count("'colour'") == 1
    assert "failed      things/2026-02/b.csv: same error as" in done.stdout
    assert "total" not in done.stdout
    assert done.stderr.startswith("error: 2 of 2 drops failed\n")
    told = goldworks("load", "--json")
    assert told.stdout.count("'colour'") == 2
    assert "first: things/2026-01" in told.stderr


def test_what_was_passed_over_is_told_by_each_command_and_to_a_machine(goldworks, landing):
    put(landing, "1,1,a")
    (landing.root / "things/2026-01/link.csv").symlink_to("/etc/passwd")
    line = (
        "passed over things/2026-01/link.csv  a link to a target outside the landing, which is not followed"
    )
    for command in ("discover", "plan", "load"):
        assert line in goldworks(command).stdout.splitlines()
        (entry,) = json.loads(goldworks(command, "--json").stdout)["passed_over"]
        assert (entry["key"], set(entry)) == ("things/2026-01/link.csv", {"key", "fault", "remedy"})


def test_a_long_quarantined_row_is_shown_in_part_and_whole_to_a_machine(goldworks, landing):
    put(landing, f"1,x,{'a' * 100_000}", "2,2,b")
    assert "quarantined 1 row: `goldworks quarantine`" in goldworks("load").stdout
    assert len(goldworks("quarantine").stdout) < 1_000
    (row,) = json.loads(goldworks("quarantine", "--json").stdout)
    assert len(row["raw_text"]) > 100_000


@pytest.mark.parametrize(
    ("environment", "arguments", "code", "told"),
    [
        ({"GOLDWORKS_WAREHOUSE_URL": ""}, ("load",), 5, "GOLDWORKS_WAREHOUSE_URL is not set"),
        (
            {"GOLDWORKS_WAREHOUSE_URL": "postgresql://u:secret@127.0.0.1:1/x"},
            ("status",),
            5,
            "u@127.0.0.1:1/x",
        ),
        ({"GOLDWORKS_LANDING_URL": "/no/such/folder"}, ("load",), 5, "no such folder"),
        ({}, ("load", "--dataset", "unknown"), 3, "known datasets: things"),
        ({}, ("load", "--no-such-option"), 2, "No such option"),
        ({}, ("load", "--from", "2026-13"), 2, "is not a period"),
        ({}, ("samples", "--domain", "unknown"), 2, "known domains: bank"),
        ({"GOLDWORKS_SHOP_URL": "shop:secret@db/shop"}, ("traffic",), 5, "GOLDWORKS_SHOP_URL: can't be read"),
    ],
)
def test_an_error_names_the_fault_and_the_way_out_without_a_traceback(
    goldworks, environment, arguments, code, told
):
    done = goldworks(*arguments, **environment)
    assert done.returncode == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize("command", ["status", "quarantine"])
def test_a_dataset_that_the_ledger_does_not_know_is_no_empty_one(goldworks, landing, command):
    asked = (command, "--dataset", "unknown")
    assert goldworks(*asked).returncode == 0, "nothing was ever listed: there may be a contract of that name"
    put(landing, "1,1,a")
    goldworks("load")
    done = goldworks(*asked)
    assert done.returncode == 3
    assert "no dataset 'unknown' in the ledger\n  known datasets: things" in done.stderr


def test_a_wrong_contract_names_file_property_and_remedy(goldworks, tmp_path):
    path = write_things(tmp_path / "contracts")
    path.write_text(path.read_text().replace("logicalType: integer", "logicalType: numbr"))
    done = goldworks("contract", "check")
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: {path}:")
    assert "schema[0].properties[0].logicalType: 'numbr' is not a logical type" in done.stderr
    assert "did you mean 'number'?" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(goldworks, command):
    done = goldworks(*command.split(), "--help")
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_an_attempt_whose_session_is_gone_is_shown_as_abandoned(goldworks, landing, warehouse):
    put(landing, "1,1,a")
    goldworks("load")
    warehouse.connection.execute(
        "insert into ops.loads (dataset, object_key, kind, state) values ('things', 'x.csv', 'new', 'started')"
    )
    states = {
        row["object_key"]: row["state"] for row in json.loads(goldworks("status", "--json").stdout)["loads"]
    }
    assert states == {JANUARY: "loaded", "x.csv": "abandoned"}


def test_the_version_is_that_of_the_package(goldworks):
    assert goldworks("--version").stdout == f"goldworks {version('goldworks')}\n"


def test_samples_are_the_same_bytes_for_the_same_seed_and_are_left_alone_the_second_time(goldworks, landing):
    goldworks("samples", "--domain", "bank", "--scale", "0.1")
    first = {item.key: item.etag for item in landing.list_objects()}
    goldworks("samples", "--domain", "bank", "--scale", "0.1")
    assert {item.key: item.etag for item in landing.list_objects()} == first
    assert len(first) > 5


def test_a_line_number_is_shown_as_a_number(goldworks, landing):
    put(landing, *(f"{number},1,a" for number in range(2, 100)), "100,two,b")
    goldworks("load")
    assert f"{JANUARY}:100: amount: not_a_number" in goldworks("quarantine").stdout


def test_what_a_log_cannot_spell_is_escaped(goldworks, landing):
    put(landing, "1,1,a", "2,two,\u00fc")
    done = goldworks("load", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "2,two,\\xfc" in goldworks("quarantine", PYTHONIOENCODING="ascii").stdout
    (row,) = json.loads(goldworks("quarantine", "--json", PYTHONIOENCODING="ascii").stdout)
    assert row["raw_text"] == "2,two,\u00fc"


def test_what_a_sender_wrote_is_shown_and_not_obeyed_by_the_terminal(goldworks, landing):
    landing.write("things/2026-01/a\x1b[2J.csv", b"id,amount,note\n1,1,a\n2,\x1b]0;x\x07,b\n")
    landing.write("\x1b[31mnotes.txt", b"x")
    done = [goldworks("load"), goldworks("quarantine"), goldworks("status"), goldworks("plan")]
    assert not [one for one in done if "\x1b" in one.stdout + one.stderr or "\x07" in one.stdout]
    assert r"things/2026-01/a\x1b[2J.csv" in done[0].stdout and r"\x1b[31mnotes.txt" in done[0].stdout
    assert r"2,\x1b]0;x\x07,b" in done[1].stdout


def test_an_empty_file_fails_by_its_name_and_a_header_alone_withdraws_what_was_there(goldworks, landing):
    put(landing, "1,1,a")
    goldworks("load")
    landing.write(JANUARY, b"")
    done = goldworks("load")
    assert done.returncode == 4
    assert f"failed      {JANUARY}: the file is empty" in done.stdout
    put(landing)
    assert "0 read = 0 (1 withdrawn)" in goldworks("load").stdout


def test_a_withdrawal_tells_what_moved_and_how_to_take_it_back(goldworks, landing):
    put(landing, "1,1,a", "2,2,b")
    goldworks("load")
    done = goldworks("withdraw", JANUARY)
    assert f"withdrawn   {JANUARY}  2 withdrawn; no other object holds its bytes  load 2" in done.stdout
    assert f"goldworks withdraw --undo {JANUARY}" in done.stdout
    assert "1 withdrawn" in goldworks("load").stdout
    assert f"withdrawn   {JANUARY}" in goldworks("status").stdout
    assert json.loads(goldworks("status", "--json").stdout)["withdrawn"] == [JANUARY]
    assert "the next `goldworks load` reads it" in goldworks("withdraw", "--undo", JANUARY).stdout
    assert "2 inserted" in goldworks("load").stdout


def test_a_key_that_is_not_known_is_the_operators(goldworks, landing):
    done = goldworks("withdraw", "no/such.csv", "--json")
    assert (done.returncode, done.stdout) == (5, "")
    assert "no such object in the ledger" in done.stderr


def test_a_plan_tells_of_every_object_that_is_not_simply_in_force(goldworks, landing):
    put(landing, "1,1,a")
    goldworks("load")
    goldworks("withdraw", JANUARY)
    landing.write("things/2026-02/new.csv", b"id,amount,note\n")
    landing.write("things/2026-03/x.csv.part", b"")
    landing.write("notes.txt", b"?")
    told = json.loads(goldworks("plan", "--json").stdout)
    assert [drop["kind"] for drop in told["drops"]] == ["new"]
    assert [(item["why"], item["object"]["key"]) for item in told["left"]] == [("withdrawn", JANUARY)]
    assert (told["unfinished"], told["unresolved"]) == (["things/2026-03/x.csv.part"], ["notes.txt"])
    lines = goldworks("plan").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["discover", "withdrawn", "new", "unfinished", "unresolved"]
    outside = json.loads(goldworks("plan", "--from", "2030", "--json").stdout)
    assert (outside["drops"], outside["outside"]) == ([], {"things": 2})


@pytest.fixture
def contract_of_things(tmp_path):
    """Changes the contract that `goldworks` reads."""
    return lambda **settings: write_things(tmp_path / "contracts", **settings)


def test_a_type_that_widens_is_foreseen_and_done_by_the_next_load(goldworks, landing, contract_of_things):
    put(landing, "1,1,a")
    goldworks("load")
    contract_of_things(physicalType="numeric(14,4)")
    line = (
        "raw.things.amount is widened from numeric(12,2) to numeric(14,4): "
        "the server rewrites the table, rows: 1"
    )
    for command in (["plan"], ["contract", "check", "--warehouse"], ["load"]):
        done = goldworks(*command)
        assert (done.returncode, line in done.stdout) == (0, True), done.stdout + done.stderr
    assert "widened" not in goldworks("plan").stdout


def test_a_type_that_needs_a_rebuild_is_foreseen_with_the_contract_authors_exit_code(
    goldworks, landing, contract_of_things, warehouse_url
):
    put(landing, "1,1,a")
    goldworks("load")
    contract_of_things(logicalType="integer", physicalType="integer")
    assert goldworks("contract", "check").returncode == 0
    for command in (["plan"], ["contract", "check", "--warehouse", warehouse_url], ["load"]):
        done = goldworks(*command)
        assert done.returncode == 3
        assert "raw.things.amount is numeric(12,2), the contract says integer" in done.stderr
        assert "goldworks rebuild things" in done.stderr
    checked = goldworks("contract", "check", "--warehouse", "--json")
    assert "raw.things.amount is numeric(12,2)" in json.loads(checked.stdout)[0]["faults"][0]


def test_a_rebuild_is_told_in_numbers_that_add_up_and_what_waits_is_named(
    goldworks, landing, contract_of_things
):
    put(landing, "1,1,a", "1,2,a", "2,two,b", "3,3,c")
    goldworks("load")
    contract_of_things(logicalType="string", physicalType="text")
    landing.write("things/2026-02/b.csv", b"id,amount,note\n9,9,z\n")
    assert goldworks("load").returncode == 3
    done = goldworks("rebuild", "things")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "rebuild     raw.things  1 drop to read, 41 bytes"
    assert lines[1].startswith("rebuilt     raw.things  1 drop: 4 read = 1 repeated + 3 inserted  ")
    assert lines[2:] == [
        "rows        2 before, 3 now",
        "            1 drop to load: goldworks load --dataset things",
    ]
    told = json.loads(goldworks("rebuild", "things", "--json").stdout)
    assert (told["dataset"], told["fates"]["inserted"], told["waiting"]) == ("things", 3, 1)
    assert goldworks("load").returncode == 0


def test_a_rebuild_that_would_lose_rows_asks_for_a_yes(goldworks, landing, contract_of_things):
    put(landing, "1,1,a")
    goldworks("load")
    (landing.root / JANUARY).unlink()
    contract_of_things(logicalType="string", physicalType="text")
    refused = goldworks("rebuild", "things")
    assert refused.returncode == 5
    assert f"{JANUARY}: gone from the landing; rows: 1" in refused.stderr
    assert "--yes" in refused.stderr
    done = goldworks("rebuild", "things", "--yes")
    assert done.returncode == 0
    assert (
        f"lost        {JANUARY}  rows: 1; gone from the landing; its rows are no longer in raw" in done.stdout
    )


def test_a_file_of_one_long_line_fails_in_a_few_lines_and_the_others_are_in(goldworks, landing):
    landing.write("things/2026-01/base64.csv", b"QUJD" * 50_000)
    put(landing, "1,1,a")
    for known in ("2 new", "1 new · 1 known"):
        done = goldworks("load")
        assert done.returncode == 4
        assert known in done.stdout
        assert "things/2026-01/base64.csv" in done.stdout
        assert len(done.stdout + done.stderr) < 2_500
