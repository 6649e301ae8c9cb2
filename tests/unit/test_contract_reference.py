"""What docs/reference/contract.md promises is what the code does."""

import re
from pathlib import Path

import pytest
import yaml

from data_ingestion.contract import ContractError, read_contract
from data_ingestion.contract.formats import CLEANINGS
from data_ingestion.contract.settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests/fixtures/contracts"
REFERENCE = (ROOT / "docs/reference/contract.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```yaml\n(.*?)^```", REFERENCE, re.MULTILINE | re.DOTALL)
SMALLEST = next(snippet for snippet in SNIPPETS if "apiVersion" in snippet)


def anchors() -> set[str]:
    """The anchors of the page as a renderer makes them of its headings, and those set by hand."""
    headings = re.findall(
        r"^#+ (.+)$", re.sub(r"^```.*?^```", "", REFERENCE, flags=re.M | re.S), re.MULTILINE
    )
    made = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', REFERENCE))


def test_the_smallest_contract_is_a_contract(tmp_path: Path):
    path = tmp_path / "visits.odcs.yaml"
    path.write_text(SMALLEST, encoding="utf-8")
    contract = read_contract(path)
    assert (contract.dataset, contract.key.columns) == ("visits", ("visit_id",))


def test_the_error_on_the_page_is_the_error_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = Path("contracts/web/visits.odcs.yaml")
    (tmp_path / path.parent).mkdir(parents=True)
    (tmp_path / path).write_text(SMALLEST.replace("integer", "numbr"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ContractError) as caught:
        read_contract(path)
    shown = re.search(r"contract check\n(.*?)^```", REFERENCE, re.MULTILINE | re.DOTALL)
    assert shown
    assert str(caught.value) == shown[1].rstrip()


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_snippet_is_yaml(snippet: str):
    assert yaml.safe_load(snippet)


@pytest.mark.parametrize(
    "name", sorted({name for names in SETTINGS.values() for name in names} | CLEANINGS.keys())
)
def test_every_setting_and_cleaning_is_explained(name: str):
    listed = re.search(rf"^\| .*`{name}`", REFERENCE, re.MULTILINE)
    assert listed, f"`{name}` stands in no table of the page"


def test_every_anchor_that_an_error_names_is_there(tmp_path: Path):
    visits = (FIXTURES / "visits.odcs.yaml").read_text(encoding="utf-8")
    named = {setting.anchor for names in SETTINGS.values() for setting in names.values()}
    for change in yaml.safe_load((FIXTURES / "faults.yaml").read_text(encoding="utf-8")).values():
        path = tmp_path / "visits.odcs.yaml"
        path.write_text(visits.replace(change["old"], change["new"]), encoding="utf-8")
        with pytest.raises(ContractError) as caught:
            read_contract(path)
        named |= {fault.anchor for fault in caught.value.faults}
    with pytest.raises(ContractError) as caught:
        read_contract(tmp_path / "none.odcs.yaml")
    named |= {fault.anchor for fault in caught.value.faults}
    assert len(named) > 15
    assert named <= anchors()
