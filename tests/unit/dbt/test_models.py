"""The shipped models say what a plain model leaves out: how they follow the loads, and which columns they promise."""

import re
from pathlib import Path

import pytest
import yaml

# What other warehouses lack or mean otherwise; a macro with one implementation for each is the place for it.
DIALECT = re.compile(
    r"::|~|\b(?:to_char|at time zone|strftime|ilike|distinct on|lateral|generate_series)\b",
    re.IGNORECASE,
)
DBT = Path(__file__).resolve().parents[3] / "dbt"
GOLD = sorted((DBT / "models/gold").rglob("*.sql"))
SILVER_AND_GOLD = sorted([*(DBT / "models/silver").rglob("*.sql"), *GOLD])
# Headers of follow.sql that enforce the contract.
PROMISES = ("contract={'enforced': true}", "{{ follow_builds(", "{{ write_differences(")


@pytest.mark.parametrize("model", GOLD, ids=lambda path: path.stem)
def test_every_model_of_gold_promises_its_columns(model: Path) -> None:
    text = model.read_text(encoding="utf-8")
    assert any(promise in text for promise in PROMISES) and "is_public=false" not in text


@pytest.mark.parametrize("model", SILVER_AND_GOLD, ids=lambda path: path.stem)
def test_marks_are_kept_by_headers_alone(model: Path) -> None:
    """A hook that is forgotten, or that names another model than the body, would be a wrong mark that no one sees."""
    text = model.read_text(encoding="utf-8")
    assert not re.findall(r"_hook=|incremental_strategy|materialized='incremental'", text)


@pytest.mark.parametrize(
    "model",
    sorted([*(DBT / "models").rglob("*.sql"), *(DBT / "tests").rglob("*.sql")]),
    ids=lambda path: path.stem,
)
def test_no_model_speaks_one_warehouse_s_dialect(model: Path) -> None:
    sql = re.sub(r"(?s)--.*?\n|\{\{.*?\}\}|\{%.*?%\}", "", model.read_text(encoding="utf-8"))
    assert DIALECT.findall(sql) == []


@pytest.mark.parametrize("model", SILVER_AND_GOLD, ids=lambda path: path.stem)
def test_the_ledger_is_read_by_macros_alone(model: Path) -> None:
    """But for the marts of the platform, which are about it."""
    assert model.parent.name == "platform" or "source('ops'" not in model.read_text(encoding="utf-8")


def test_a_model_without_a_word_of_config_is_a_table() -> None:
    """No strategy, no key, no column contract: nothing that a plain select would have to give."""
    layers = yaml.safe_load((DBT / "dbt_project.yml").read_text(encoding="utf-8"))["models"]["goldworks"]
    for layer in (layers["silver"], layers["gold"]):
        assert layer["+materialized"] == "table"
        assert not {"+incremental_strategy", "+unique_key", "+contract"} & layer.keys()
