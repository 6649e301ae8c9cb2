"""Contracts of a folder: which can stand beside each other, and that one faulty contract takes no other away."""

import shutil
from pathlib import Path

import pytest

from data_ingestion.contract import ContractError, read_contracts, read_folder

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "contracts"
VISITS = FIXTURES / "visits.odcs.yaml"
BANK = ROOT / "contracts" / "bank" / "bank_transactions.odcs.yaml"


@pytest.fixture
def contracts(tmp_path: Path) -> Path:
    for source, domain in ((VISITS, "web"), (BANK, "bank")):
        (tmp_path / domain).mkdir()
        shutil.copy(source, tmp_path / domain)
    return tmp_path


def test_contracts_come_by_domain_and_dataset(contracts: Path):
    assert [contract.dataset for contract in read_contracts(contracts)] == ["bank_transactions", "visits"]


def test_the_contracts_of_the_project_are_sound():
    assert read_contracts(ROOT / "contracts")


def copy_of_visits(folder: Path, name: str = "visits.odcs.yaml", **changes: str) -> Path:
    text = VISITS.read_text(encoding="utf-8")
    for old, new in changes.items():
        text = text.replace(old, new)
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("folder", "name", "changes", "faults"),
    [
        ("shop", "visits.odcs.yaml", {"web": "shop"}, ["has another contract", "matches the same files"]),
        ("web", "clicks.odcs.yaml", {"visits": "clicks", "clicks/": "visits/"}, ["matches the same files"]),
        (
            "web",
            "clicks.odcs.yaml",
            {},
            ["differs from its file's name 'clicks'", "has another contract", "matches the same"],
        ),
        ("shop", "clicks.odcs.yaml", {"visits": "clicks"}, ["differs from its folder's name 'shop'"]),
        ("web", "clicks.yaml", {"visits": "clicks"}, ["is not named like a contract"]),
        ("web", "clicks.odcs.yml", {"visits": "clicks"}, ["is not named like a contract"]),
        (".", "clicks.odcs.yaml", {"visits": "clicks"}, ["is not in a domain's folder"]),
    ],
)
def test_a_contract_that_cannot_stand_beside_the_others_is_refused(
    folder: str, name: str, changes: dict[str, str], faults: list[str], contracts: Path
):
    path = copy_of_visits(contracts / folder, name, **changes)
    with pytest.raises(ContractError) as caught:
        read_contracts(contracts)
    of_it = [fault for fault in caught.value.faults if fault.file == path]
    assert len(of_it) == len(faults)
    for expected in faults:
        assert expected in str(caught.value)


def test_the_faults_of_all_contracts_are_told_at_once(contracts: Path):
    for path in contracts.rglob("*.odcs.yaml"):
        path.write_text(path.read_text(encoding="utf-8").replace("kind: DataContract", "kind: Data"))
    with pytest.raises(ContractError) as caught:
        read_contracts(contracts)
    assert {fault.file.name for fault in caught.value.faults} == {
        "bank_transactions.odcs.yaml",
        "visits.odcs.yaml",
    }


def faulty_and_sound(contracts: Path) -> tuple[list[str], list[str]]:
    found = read_folder(contracts)
    return [one.path.name.partition(".")[0] for one in found.faulty], [one.dataset for one in found.sound]


def test_one_faulty_contract_leaves_the_others_as_they_are(contracts: Path):
    path = contracts / "web" / "visits.odcs.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("logicalType: string", "logicalType: strnig", 1))
    found = read_folder(contracts)
    assert [contract.dataset for contract in found.sound] == ["bank_transactions"]
    (faulty,) = found.faulty
    assert (faulty.domain, faulty.dataset, faulty.path) == ("web", "visits", path)
    assert "'strnig'" in str(faulty.error)


def test_a_faulty_contract_still_says_which_files_it_claims_unless_its_path_is_faulty(contracts: Path):
    path = contracts / "web" / "visits.odcs.yaml"
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace("logicalType: string", "logicalType: strnig", 1))
    (faulty,) = read_folder(contracts).faulty
    assert faulty.claims
    assert faulty.claims.match("visits/2026/03/a.csv")
    for text in (sound.replace("path: visits/", "path: /visits/"), "half: [a"):
        path.write_text(text)
        (faulty,) = read_folder(contracts).faulty
        assert faulty.claims is None


@pytest.mark.parametrize(
    ("folder", "name", "changes", "faulty"),
    [
        ("shop", "visits.odcs.yaml", {"web": "shop"}, ["visits", "visits"]),
        ("web", "clicks.odcs.yaml", {"visits": "clicks", "clicks/": "visits/"}, ["clicks", "visits"]),
        # A copy that nobody has renamed inside, and one in a wrong place, are faulty by themselves.
        ("web", "clicks.odcs.yaml", {}, ["clicks"]),
        ("web", "a_copy.yaml", {}, ["a_copy"]),
    ],
)
def test_of_two_that_exclude_each_other_both_are_faulty_unless_one_is_anyway(
    folder: str, name: str, changes: dict[str, str], faulty: list[str], contracts: Path
):
    copy_of_visits(contracts / folder, name, **changes)
    left = ["bank_transactions", "visits"][: 1 if "visits" in faulty else 2]
    assert faulty_and_sound(contracts) == (faulty, left)


def test_hidden_files_of_editors_are_no_contracts(contracts: Path):
    (contracts / "web" / ".visits.odcs.yaml").write_text("half a")
    assert len(read_contracts(contracts)) == 2


def test_a_folder_without_contracts_is_a_wrong_folder(tmp_path: Path):
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(ContractError, match="GOLDWORKS_CONTRACTS"):
            read_contracts(folder)
