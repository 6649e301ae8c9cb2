"""Fill down is for files of rows: in a record, what is absent says nothing about the one before it."""

from pathlib import Path

import pytest
import yaml

from data_ingestion.contract import read_contract
from data_ingestion.errors import ContractFault

EVENTS = Path("contracts/web/events.odcs.yaml")


def events(folder, form):
    document = yaml.safe_load(EVENTS.read_text())
    server = document["servers"][0]
    server["format"], server["customProperties"] = form, []
    document["schema"][0]["properties"][3].setdefault("customProperties", []).append(
        {"property": "fillDown", "value": True}
    )
    path = folder / "web" / EVENTS.name
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(document))
    return read_contract(path)


@pytest.mark.parametrize("form", ["csv", "tsv", "xlsx"])
def test_files_of_rows_may_be_filled_down(tmp_path, form):
    assert [column.fill_down for column in events(tmp_path, form).columns].count(True) == 1


@pytest.mark.parametrize("form", ["jsonl", "json", "parquet"])
def test_files_of_records_may_not(tmp_path, form):
    with pytest.raises(
        ContractFault, match="'fillDown' has no effect on records\n  leave it out; it is for csv, tsv, xlsx"
    ):
        events(tmp_path, form)
