"""Write: a draft is a contract that its own sample fits, whatever is still to be decided in it."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from data_ingestion.checks.rows import RowChecks
from data_ingestion.contract import KeyRule, read_contract
from data_ingestion.draft.infer import infer, name_of
from data_ingestion.draft.key import find_key
from data_ingestion.draft.place import hive_parts
from data_ingestion.draft.sample import read_sample
from data_ingestion.draft.write import write_draft
from data_ingestion.landing import FolderLanding
from data_ingestion.reading import open_reader
from goldworks_samples.domains import write_samples

FILES = {
    "plain.csv": "id,amount,note\n1,1.50,a\n2,,b\n3,2.25,c\n",
    "european.csv": 'Umsatz\n\nNr;Betrag;Am\n1;"1.234,50";03.05.2026 10:15\n2;-;k.A.\n3;12,00-;31.05.2026 09:00\n',
    "headless.csv": "1,x,2026-01-31\n2,y,2026-02-01\n3,z,2026-02-02\n",
    "no_key.csv": "day,shop\n2026-01-01,a\n2026-01-01,a\n2026-01-02,b\n",
    "two_columns.csv": "shop,day\na,2026-01-01\na,2026-01-02\nb,2026-01-01\nb,2026-01-02\n",
    "floats.csv": "u,v\n0.12345678901234567,1e-05\n0.12345678901234567,1e-05\n-3.0000000000000004,2.5\n",
    "floats of any size.csv": "u,v\n1e-300,1e300\n1e-300,1e300\n2e-300,2e300\n",
    "odd names.csv": 'Order-ID,"Price (€)",true,2nd\nA1,1,x,1\nA2,2,y,2\nA3,3,z,2\n',
}


def draft_of(file: Path, tmp_path: Path):
    draft = write_draft(read_sample(file), domain="shop", dataset="things", path="things/**/*")
    target = tmp_path / "shop" / "things.odcs.yaml"
    target.parent.mkdir(exist_ok=True)
    target.write_text(draft.text, encoding="utf-8")
    return draft, read_contract(target)


def bad_rows(contract, file: Path):
    bad = []
    with file.open("rb") as stream:
        reader = open_reader(stream, contract, f"things/{file.name}")
        checks = RowChecks(contract, reader.header, file.name, reader.look)
        for chunk in reader:
            bad += checks.check(chunk).bad
    return bad


@pytest.mark.parametrize("name", FILES)
def test_a_sample_fits_its_own_draft(name, tmp_path):
    file = tmp_path / name
    file.write_text(FILES[name], encoding="utf-8")
    draft, contract = draft_of(file, tmp_path)
    assert bad_rows(contract, file) == []
    assert draft.to_decide == draft.text.count("# TO DECIDE") > 0


@pytest.mark.parametrize("domain", ["bank", "fleet", "sales", "web"])
def test_samples_of_every_domain_fit_their_drafts(domain, tmp_path):
    landing = FolderLanding(tmp_path)
    drops = write_samples(landing.write, domain, scale=0.05, faults=False, today=date(2026, 7, 1))
    checked = 0
    for drop in drops[:12]:
        file = tmp_path / drop.key
        _, contract = draft_of(file, tmp_path)
        sample = read_sample(file)
        assert len(bad_rows(contract, file)) <= 0.02 * sample.rows, drop.key
        checked += 1
    assert checked


def test_a_key_is_shown_with_its_evidence_and_of_no_key_rows_are_counted(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(FILES["two_columns.csv"], encoding="utf-8")
    draft, contract = draft_of(file, tmp_path)
    assert set(contract.key.columns) == {"shop", "day"}
    assert "together unique in 4 rows; neither is alone" in draft.text
    file.write_text(FILES["no_key.csv"], encoding="utf-8")
    _, contract = draft_of(file, tmp_path)
    assert contract.key.rule is KeyRule.OCCURRENCE


def test_of_several_unique_columns_the_one_with_the_name_of_an_id_is_the_key():
    columns = {
        name: pa.array(cells)
        for name, cells in {"price": ["1.5", "2.5", "3.5"], "sku": ["a", "b", "c"]}.items()
    }
    drafts = [infer(header, texts, name_of(header)) for header, texts in columns.items()]
    key = find_key(drafts, columns, 3)
    assert (key.headers, key.evidence) == (("sku",), "unique in 3 rows; so is 'price'")


def test_a_drafted_contract_tells_what_is_personal(tmp_path):
    file = tmp_path / "a.csv"
    file.write_text(
        "id,email,city\n1,a@x.example,Oslo\n2,b@x.example,Rome\n3,c@x.example,Bonn\n", encoding="utf-8"
    )
    _, contract = draft_of(file, tmp_path)
    assert [column.classification for column in contract.columns] == [None, "personal", None]


def test_folders_that_say_what_they_hold_become_columns_of_the_draft(tmp_path):
    folder = tmp_path / "sales" / "store=rome" / "region=EU"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text("id,n\n1,2\n2,3\n")
    pattern, parts = hive_parts(folder.parts)
    assert (pattern, parts) == ("store={store}/region={region}/", {"store": "rome", "region": "EU"})
    draft = write_draft(
        read_sample(folder / "a.csv"),
        domain="shop",
        dataset="sales",
        path=f"sales/{pattern}*.csv",
        parts=parts,
    )
    assert "is it part of the key? It stands in the path, here rome" in draft.text
    contract = tmp_path / "sales.odcs.yaml"
    contract.write_text(draft.text)
    assert read_contract(contract).path_values("sales/store=oslo/region=EU/b.csv") == ("oslo", "EU")


@pytest.mark.parametrize(
    ("folders", "found"),
    [
        (("a", "b"), ("", {})),
        (("store=rome", "b"), ("", {})),
        (("Store=rome", "x=1"), ("*/x={x}/", {"x": "1"})),
        (("name=a", "x=1"), ("*/x={x}/", {"x": "1"})),
    ],
)
def test_only_the_last_folders_are_parts_and_only_by_names_that_are_sound(folders, found):
    assert hive_parts(folders) == found
