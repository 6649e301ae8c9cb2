"""`goldworks deliver` copies a file to the landing and says whose it will be."""

import json
import shutil
from pathlib import Path

import pytest

from data_ingestion.cli.commands import main

VISITS = Path(__file__).resolve().parents[2] / "fixtures/contracts/visits.odcs.yaml"


@pytest.fixture
def deliver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs `goldworks deliver` on an empty landing and the contract of `visits`: exit code and what was printed."""
    (tmp_path / "landing").mkdir()
    (tmp_path / "contracts/web").mkdir(parents=True)
    shutil.copy(VISITS, tmp_path / "contracts/web/visits.odcs.yaml")
    (tmp_path / "list.csv").write_text("Visit\nv-1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOLDWORKS_LANDING_URL", "landing")
    monkeypatch.setenv("GOLDWORKS_CONTRACTS", "contracts")

    def run(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["deliver", *words])
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return run


def test_a_file_lies_on_the_landing_and_its_dataset_is_named(deliver, tmp_path: Path):
    code, said = deliver("list.csv", "visits/2026/01/list.csv")
    assert code == 0
    assert said.split() == ["delivered", "visits/2026/01/list.csv", "10", "bytes", "for", "visits"]
    assert (tmp_path / "landing/visits/2026/01/list.csv").read_text(encoding="utf-8") == "Visit\nv-1\n"


def test_a_key_that_no_contract_matches_is_said_at_once(deliver, tmp_path: Path):
    _, said = deliver("list.csv", "visit/list.csv")
    assert "no contract matches" in said
    assert (tmp_path / "landing/visit/list.csv").exists()


def test_a_key_that_is_there_is_replaced(deliver, tmp_path: Path):
    deliver("list.csv", "visits/2026/01/list.csv")
    (tmp_path / "list.csv").write_text("Visit\n", encoding="utf-8")
    deliver("list.csv", "visits/2026/01/list.csv")
    assert (tmp_path / "landing/visits/2026/01/list.csv").read_text(encoding="utf-8") == "Visit\n"


def test_as_json_it_is_one_document(deliver):
    _, said = deliver("list.csv", "visits/2026/01/list.csv", "--json")
    assert json.loads(said) == {"key": "visits/2026/01/list.csv", "bytes": 10, "datasets": ["visits"]}


@pytest.mark.parametrize("key", ["/visits/a.csv", "../a.csv", "visits/../../a.csv", "visits/", "", "./a.csv"])
def test_a_key_that_leads_out_of_the_landing_or_names_no_file_is_refused(deliver, tmp_path: Path, key: str):
    code, said = deliver("list.csv", key)
    assert (code, "is not a name on the landing" in said) == (2, True)
    assert list((tmp_path / "landing").iterdir()) == []


def test_a_file_that_is_not_there_is_named(deliver):
    assert deliver("nothing.csv", "visits/2026/01/list.csv") == (
        2,
        "error: nothing.csv: not a file\n  name the file to copy\n",
    )
