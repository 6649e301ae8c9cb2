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
    reports = read_reports(ROOT / "reports")
    assert {report.name for report in reports} >= {"open_orders"}
    for table in (table for report in reports for table in report.tables):
        assert set(table.columns) <= models[table.relation], table.name


@pytest.mark.parametrize(
    ("old", "new", "place", "told"),
    [
        ("title: Open", "titel: Open", "title", "is missing"),
        ("title: Open", "title: Open\nowner: me", "owner", "is no part of a report"),
        ("relation: mart_dates", "relation: gold.mart_dates", "tables[0].relation", "is no name"),
        ("name: dates", "name: ../dates", "tables[0].name", "is no name"),
        ("order: [day]", "order: [date]", "tables[0].order", "date is no column of the table"),
        ("order: [day]", "order: day", "tables[0].order", "is no column"),
        ("most: 3", "most: 0", "tables[0].most", "whole number from 1"),
        ("y: orders", "y: items", "tables[0].plot.y", "'items' is no column"),
        ("y: orders}", "y: orders, key: id}", "tables[0].plot.key", "'id' is no column"),
        ("columns: {day: Day, orders: Orders}", "columns: [day]", "tables[0].columns", "is no mapping"),
        ("tables:", "tables: []\nothers:", "others", "is no part"),
        (OPEN, "- a", "the file", "is no mapping"),
        (OPEN, "a: [", "open.yaml", "is no YAML"),
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
    with pytest.raises(ContractFault) as caught:
        read_reports(tmp_path)
    assert str(first) in str(caught.value) and str(second) in str(caught.value)
