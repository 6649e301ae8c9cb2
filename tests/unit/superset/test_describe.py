"""Labels and descriptions of Superset's datasets, as dbt has them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from asset_files import Kind, read_assets
from dbt_project import Column, Model, Project, project_from_yaml
from describe import described, label_of, main, rewritten, write

DATASET = """\
table_name: mart_days
schema: gold
description: Old words
  over two lines.
uuid: 00000000-0000-0000-0000-000000000001
version: 1.0.0
columns:
  - {column_name: first_event_date, verbose_name: Old, type: DATE, is_dttm: true}
  - {column_name: email, type: TEXT}
  - column_name: year
    verbose_name: Year
    expression: TO_CHAR(first_event_date, 'YYYY')
metrics:
  # Why it is here.
  - metric_name: days
    expression: COUNT(*)
"""
MODEL = Model(
    "mart_days", "gold", "One row per day.",
    {"first_event_date": Column("Day of the oldest event."), "email": Column("Who.", "User")},
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("closing_balance_inr", "Closing balance, INR"),
        ("distance_km", "Distance, km"),
        ("last_changed_at", "Last changed, UTC"),
        ("first_event_date", "First event"),
        ("value_date", "Value date"),
        ("is_tied", "Tied"),
        ("invalid_ips", "Invalid IPs"),
        ("km", "Km"),
    ],
)
def test_a_label_is_made_of_the_name(name: str, label: str) -> None:
    assert label_of(name) == label


def test_a_file_whose_lists_are_not_set_in_is_rewritten_whole() -> None:
    content = yaml.safe_load(DATASET)
    text = yaml.safe_dump(content, sort_keys=False)
    assert yaml.safe_load(rewritten(text, described(content, MODEL))) == described(content, MODEL)


def test_a_file_is_rewritten_to_what_dbt_says_and_keeps_everything_else() -> None:
    text = rewritten(DATASET, described(yaml.safe_load(DATASET), MODEL))
    content = yaml.safe_load(text)
    assert content["description"] == "One row per day."
    assert content["columns"] == [
        {
            "column_name": "first_event_date",
            "verbose_name": "First event",
            "description": "Day of the oldest event.",
            "type": "DATE",
            "is_dttm": True,
        },
        {"column_name": "email", "verbose_name": "User", "description": "Who.", "type": "TEXT"},
        {"column_name": "year", "verbose_name": "Year", "expression": "TO_CHAR(first_event_date, 'YYYY')"},
    ]
    assert text.endswith(DATASET[DATASET.index("metrics:") :])
    assert rewritten(text, described(content, MODEL)) == text


def test_doc_blocks_and_labels_are_read_from_the_files_of_dbt(tmp_path: Path) -> None:
    folder = tmp_path / "gold" / "web"
    folder.mkdir(parents=True)
    (folder / "docs.md").write_text("{% docs who %}\nA person,\nby address.\n{% enddocs %}\n")
    (folder / "models.yml").write_text(
        "models:\n  - name: m\n    description: >\n      One row\n      per day.\n    columns:\n"
        "      - name: email\n        description: \"{{ doc('who') }} Personal.\"\n"
        "        config: {meta: {label: User}}\n"
    )
    column = Column("A person, by address. Personal.", "User")
    assert project_from_yaml(tmp_path).models["m"] == Model(
        "m", "gold", "One row per day.", {"email": column}
    )


def test_every_gold_column_of_a_dataset_has_a_description() -> None:
    for dataset in read_assets().of(Kind.DATASET):
        for column in dataset.content["columns"]:
            assert column.get("description") or column.get("expression"), f"{dataset.path}: {column}"
            assert column["verbose_name"], f"{dataset.path}: {column}"


def test_a_drifted_file_is_named_and_then_written(
    assets_copy: Path, replace: Callable[[str, str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    path = "datasets/warehouse/mart_bank_daily_balance.yaml"
    before = (assets_copy / path).read_text()
    replace(path, "verbose_name: Day", "verbose_name: Date")
    assert main(["--assets", str(assets_copy), "--check"]) == 1
    assert f"{path}: columns: balance_date: verbose_name: differs from dbt's" in capsys.readouterr().err
    assert main(["--assets", str(assets_copy)]) == 0
    assert capsys.readouterr().out == f"{path}\n"
    assert (assets_copy / path).read_text() == before
    assert main(["--assets", str(assets_copy), "--check"]) == 0


def test_a_dataset_of_no_model_is_left_to_the_check(assets_copy: Path) -> None:
    assert write(assets_copy, Project({}, ())) == []
