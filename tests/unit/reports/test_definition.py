from pathlib import Path

import pytest
import yaml

from data_ingestion.errors import ContractFault
from data_ingestion.reports.definition import Plot, read_report, read_reports

ROOT = Path(__file__).resolve().parents[3]
OPEN = """
title: Open
tables:
  - {name: dates, title: Dates, relation: mart_dates, columns: {day: Day, orders: Orders}, order: [day], most: 3,
     plot: {x: day, y: orders}}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "orders" / "open.yaml"
    path.parent.mkdir()
    path.write_text(text)
    return path


def test_a_report_bears_the_names_of_its_folder_and_file(tmp_path: Path) -> None:
    report = read_report(written(tmp_path, OPEN))
    (table,) = report.tables
    assert (report.domain, report.name, report.title) == ("orders", "open", "Open")
    assert (dict(table.columns), table.order, table.most) == ({"day": "Day", "orders": "Orders"}, ("day",), 3)
    assert table.plot == Plot("day", "orders")


def test_every_report_of_this_repository_shows_columns_that_its_models_have() -> None:
    models = {}
    for file in (ROOT / "dbt/models/gold").rglob("*.yml"):
        for model in yaml.safe_load(file.read_text()).get("models", []):
            models[model["name"]] = {column["name"] for column in model["columns"]}
    folder = read_reports(ROOT / "reports")
    reports = folder.sound
    assert folder.faulty == ()
    assert {report.name for report in reports} >= {"open_orders"}
    for table in (table for report in reports for table in report.tables):
        assert set(table.columns) <= models[table.relation], table.name


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("title: Open", "titel: Open", "title", "is missing"),
        ("title: Open", "title: Open\nowner: me", "owner", "is not a part of a report"),
        ("relation: mart_dates", "relation: gold.mart_dates", "tables[0].relation", "is not a name"),
        ("name: dates", "name: ../dates", "tables[0].name", "is not a name"),
        ("order: [day]", "order: [date]", "tables[0].order", "date is not a column of the table"),
        ("order: [day]", "order: day", "tables[0].order", "is not a column"),
        ("most: 3", "most: 0", "tables[0].most", "whole number from 1"),
        ("y: orders", "y: items", "tables[0].plot.y", "'items' is not a column"),
        ("y: orders}", "y: orders, key: id}", "tables[0].plot.key", "'id' is not a column"),
        ("columns: {day: Day, orders: Orders}", "columns: [day]", "tables[0].columns", "is not a mapping"),
        ("tables:", "tables: []\nothers:", "others", "is not a part"),
        (OPEN, "- a", "the file", "is not a mapping"),
        (OPEN, "a: [", "open.yaml", "invalid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_file_place_and_remedy(tmp_path, old, new, place, told) -> None:
    with pytest.raises(ContractFault) as caught:
        read_report(written(tmp_path, OPEN.replace(old, new)))
    assert place in str(caught.value) and told in str(caught.value)
    assert str(tmp_path / "orders" / "open.yaml") in str(caught.value)


def test_two_tables_of_a_name_would_be_one_file(tmp_path: Path) -> None:
    row = OPEN.strip().splitlines()[2:]
    with pytest.raises(ContractFault, match="two tables are called dates"):
        read_report(written(tmp_path, OPEN + "\n".join(row) + "\n"))


def test_two_domains_can_not_have_a_report_of_one_name(tmp_path: Path) -> None:
    first = written(tmp_path, OPEN)
    second = tmp_path / "sales" / first.name
    second.parent.mkdir()
    second.write_text(OPEN)
    (faulty,) = read_reports(tmp_path).faulty
    assert (faulty.domain, faulty.name) == ("sales", "open")
    assert str(first) in str(faulty.error) and str(second) in str(faulty.error)


def test_one_faulty_report_leaves_the_others(tmp_path: Path) -> None:
    written(tmp_path, OPEN)
    (tmp_path / "orders" / "closed.yaml").write_text(OPEN.replace("title", "titel", 1))
    found = read_reports(tmp_path)
    assert [report.name for report in found.sound] == ["open"]
    (faulty,) = found.faulty
    assert (faulty.domain, faulty.name) == ("orders", "closed")
    assert "title: is missing" in str(faulty.error)
