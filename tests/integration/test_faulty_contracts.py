"""One faulty contract, and one dataset that can't be planned or loaded, stop nobody else."""

import json
import os
import subprocess
import sys

import pytest

from tests.integration.conftest import write_things

THING, OTHER = "things/2026-01/a.csv", "others/2026-01/a.csv"
ROWS = b"id,amount,note\n1,1,a\n"


@pytest.fixture
def contracts(tmp_path):
    """A folder with the contracts of `things` and, of another domain, of `others`."""
    folder = tmp_path / "contracts"
    folder.mkdir()
    text = write_things(folder).read_text()
    (folder / "shop").mkdir()
    (folder / "shop/others.odcs.yaml").write_text(
        text.replace("name: things", "name: others")
        .replace("path: things/", "path: others/")
        .replace("domain: store", "domain: shop")
    )
    return folder


@pytest.fixture
def goldworks(warehouse_url, landing, contracts, tmp_path):
    landing.write(THING, ROWS)
    landing.write(OTHER, ROWS)

    def run(*arguments):
        settings = {
            "GOLDWORKS_WAREHOUSE_URL": warehouse_url, "GOLDWORKS_LANDING_URL": landing.url,
            "GOLDWORKS_CONTRACTS": str(contracts), "PYTHONPATH": ".", "COLUMNS": "200",
            "GOLDWORKS_REPORTS_URL": str(tmp_path / "reports"), "GOLDWORKS_LAKE_URL": str(tmp_path / "lake"),
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, "-m", "data_ingestion", *arguments],
            env={**os.environ, **settings}, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.fixture
def misspelt(contracts):
    """The contract of `others` with a type misspelt; mends it when called."""
    path = contracts / "shop/others.odcs.yaml"
    edit(path, "logicalType: integer", "logicalType: intger")
    return lambda: edit(path, "logicalType: intger", "logicalType: integer")


def state_of(warehouse, key):
    return warehouse.connection.execute(
        "select dataset, state from ops.objects where object_key = %s", [key]
    ).fetchone()


def test_a_load_brings_in_the_rest_names_the_fault_once_and_ends_with_the_contract_authors_code(
    goldworks, misspelt, warehouse
):
    done = goldworks("load")
    assert done.returncode == 3
    assert f"{THING} 1 read = 1 inserted" in done.stdout
    assert done.stderr.count("'intger' is not a logical type") == 1
    assert "did you mean 'integer'?" in done.stderr
    assert "Traceback" not in done.stderr
    # What the faulty contract claims is not unresolved: it is left as it is.
    assert "unresolved" not in done.stdout
    assert state_of(warehouse, OTHER) is None

    shown = goldworks("status")
    assert shown.returncode == 0
    assert "faulty      others  not loaded: " in shown.stdout
    misspelt()
    mended = goldworks("load")
    assert (mended.returncode, f"{OTHER} 1 read = 1 inserted" in mended.stdout) == (0, True)
    assert json.loads(goldworks("status", "--json").stdout)["faults"] == []


def test_what_a_faulty_contract_had_loaded_stays_and_is_neither_read_again_nor_gone(
    goldworks, contracts, warehouse
):
    assert goldworks("load").returncode == 0
    edit(contracts / "shop/others.odcs.yaml", "logicalType: integer", "logicalType: intger")
    done = goldworks("load", "--full")
    assert (done.returncode, state_of(warehouse, OTHER)) == (3, ("others", "in_force"))
    assert warehouse.connection.execute("select count(*) from raw.others").fetchone() == (1,)
    withdrawn = goldworks("withdraw", OTHER)
    assert (withdrawn.returncode, "'intger' is not a logical type" in withdrawn.stderr) == (3, True)


@pytest.mark.parametrize("command", ["discover", "plan", "replay", "archive", "profile", "capture"])
def test_every_command_does_the_rest_and_ends_with_the_fault(goldworks, misspelt, command):
    done = goldworks(command)
    assert done.returncode == 3
    assert done.stderr.count("'intger' is not a logical type") == 1
    if command in ("discover", "plan"):
        assert "1 new" in done.stdout
        assert json.loads(goldworks(command, "--json").stdout)["faults"][0]["dataset"] == "others"


def test_whoever_asks_for_another_dataset_is_not_bothered_and_for_the_faulty_one_is_refused(
    goldworks, misspelt
):
    assert goldworks("load", "--dataset", "things").returncode == 0
    refused = goldworks("load", "--dataset", "others")
    assert (refused.returncode, "'intger' is not a logical type" in refused.stderr) == (3, True)
    assert refused.stdout == ""


def test_while_a_contract_does_not_say_what_it_claims_no_object_becomes_unresolved(
    goldworks, contracts, landing, warehouse
):
    path = contracts / "shop/others.odcs.yaml"
    sound = path.read_text()
    path.write_text("half: [a")
    landing.write("notes.txt", b"?")
    done = goldworks("load")
    assert (done.returncode, "2 matching faulty contracts" in done.stdout) == (3, True)
    assert [state_of(warehouse, key) for key in (OTHER, "notes.txt")] == [None, None]
    path.write_text(sound)
    goldworks("load")
    assert state_of(warehouse, OTHER) == ("others", "in_force")
    assert state_of(warehouse, "notes.txt") == (None, "unresolved")


def test_two_contracts_that_claim_one_object_keep_only_each_other_out(goldworks, contracts, warehouse):
    text = (contracts / "shop/others.odcs.yaml").read_text()
    double = text.replace("name: others", "name: doubles").replace("path: others/", "path: '**/others/")
    (contracts / "shop/doubles.odcs.yaml").write_text(
        double.replace("{YYYY}-{MM}/*.csv", "*/*.csv'").replace("others/{YYYY}-{MM}/*.csv", "")
    )
    done = goldworks("load")
    assert done.returncode == 3, done.stderr
    assert f"{THING} 1 read = 1 inserted" in done.stdout
    assert f"{OTHER}: matched by both" in done.stderr
    faults = json.loads(goldworks("status", "--json").stdout)["faults"]
    assert [row["dataset"] for row in faults] == ["doubles", "others"]


def test_a_raw_table_that_does_not_follow_its_contract_keeps_no_other_dataset_out(
    goldworks, contracts, landing
):
    assert goldworks("load").returncode == 0
    edit(contracts / "shop/others.odcs.yaml", "logicalType: integer", "logicalType: date")
    landing.write(OTHER, b"id,amount,note\n2026-01-01,1,a\n")
    landing.write(THING, ROWS + b"2,2,b\n")
    done = goldworks("load")
    assert done.returncode in (3, 5)
    assert f"{THING} corrected: 2 read" in done.stdout
    assert "raw.others" in done.stderr
    (fault,) = json.loads(goldworks("status", "--json").stdout)["faults"]
    assert (fault["dataset"], fault["step"]) == ("others", "load")


def test_a_domain_with_a_faulty_contract_is_not_profiled_since_what_it_marks_as_personal_is_not_known(
    goldworks, contracts, misspelt
):
    things = contracts / "store/things.odcs.yaml"
    moved = contracts / "shop/things.odcs.yaml"
    moved.write_text(things.read_text().replace("domain: store", "domain: shop"))
    things.unlink()
    assert "1 inserted" in goldworks("load").stdout
    done = goldworks("profile")
    assert (done.returncode, "page" in done.stdout, "raw.things" in done.stdout) == (3, False, False)
    misspelt()
    assert "raw.things" in goldworks("profile").stdout
