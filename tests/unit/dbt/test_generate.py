"""dbt/generate.py: bronze from contracts."""

import importlib.util
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
import yaml

from data_ingestion.contract import Column, Key, KeyRule, LogicalType, read_contracts

ROOT = Path(__file__).resolve().parents[3]
SPEC = importlib.util.spec_from_file_location("dbt_generate", ROOT / "dbt" / "generate.py")
generator = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(generator)

FOLDER = PurePosixPath("models/bronze/bank")


@pytest.fixture(scope="module")
def bank():
    (contract,) = (c for c in read_contracts(ROOT / "contracts") if c.dataset == "bank_transactions")
    return contract


@pytest.fixture
def orders(bank):
    """A dataset whose rows name themselves, with names that need quotes."""
    columns = (
        Column(
            "order", ("order",), LogicalType.INTEGER, "bigint", required=True, description="Its {{ number }}."
        ),
        Column(
            "status", ("status",), LogicalType.STRING, "text", accepted_values=("PENDING", "it's {{ over }}")
        ),
        Column("size", ("size",), LogicalType.INTEGER, "bigint", accepted_values=("1", "2")),
    )
    return replace(
        bank,
        domain="orders",
        dataset="orders",
        columns=columns,
        key=Key(KeyRule.NATURAL, ("order",), ""),
        warn_after_hours=None,
        error_after_hours=None,
    )


def source_table(text, name):
    (source,) = yaml.safe_load(text)["sources"]
    return next(table for table in source["tables"] if table["name"] == name)


def test_the_files_on_disk_are_those_of_the_contracts():
    assert generator.main(["--check"]) == 0


def test_a_dataset_gets_two_views_and_its_domain_two_descriptions(bank):
    assert set(generator.generate([bank])) == {
        FOLDER / "_bank__sources.yml",
        FOLDER / "_bank__models.yml",
        FOLDER / "stg_bank_transactions.sql",
        FOLDER / "stg_bank_transactions__changes.sql",
    }


def test_the_key_of_occurrences_goes_under_its_own_name(bank):
    rows = generator.rows_view(bank)
    assert "    _key as movement_id,\n" in rows
    assert "    cast(withdrawal_inr as numeric(18, 2)) as withdrawal_inr,\n" in rows
    assert "    cast(cheque_no__text as {{ type_of('text') }}) as cheque_no__text,\n" in rows
    assert rows.endswith(
        "    _occurrence,\n    _drop_id,\n    _load_id,\n    _line\nfrom {{ source('bank', 'bank_transactions') }}\n"
    )


def test_changes_are_what_loads_brought_and_what_they_took_away(bank, orders):
    brought, taken = generator.changes_view(bank).split("taken as (")
    assert "_key as movement_id,\n        _load_id,\n        false as is_taken\n" in brought
    assert "_key as movement_id,\n        _by_load_id as _load_id,\n        true as is_taken\n" in taken
    assert "bank_transactions__history" in taken
    assert '        "order",\n        _load_id,\n' in generator.changes_view(orders)


def test_a_natural_key_has_no_raw_key_and_is_tested_where_it_is(orders):
    rows = generator.rows_view(orders)
    assert "_key" not in rows
    assert "_occurrence" not in rows
    columns = {
        column["name"]: column
        for column in source_table(generator.sources("orders", [orders]), "orders")["columns"]
    }
    assert columns["order"] == {"name": "order", "quote": True, "data_tests": ["unique", "not_null"]}


def test_a_key_of_several_columns_is_unique_together(orders):
    several = replace(orders, key=Key(KeyRule.NATURAL, ("order", "size"), ""))
    table = source_table(generator.sources("orders", [several]), "orders")
    assert table["data_tests"] == [{"unique_together": {"arguments": {"columns": ['"order"', "size"]}}}]
    assert all("unique" not in column["data_tests"] for column in table["columns"])


def test_accepted_values_are_quoted_by_their_type(orders):
    columns = {
        column["name"]: column
        for column in source_table(generator.sources("orders", [orders]), "orders")["columns"]
    }
    assert columns["status"]["data_tests"] == [
        {"accepted_values": {"arguments": {"values": ["PENDING", "it''s {{ '{{' }} over }}"]}}}
    ]
    assert columns["size"]["data_tests"] == [
        {"accepted_values": {"arguments": {"values": ["1", "2"], "quote": False}}}
    ]


def test_freshness_asks_the_ledger_and_only_when_it_was_agreed(bank, orders):
    config = source_table(generator.sources("bank", [bank]), "bank_transactions")["config"]
    assert config["freshness"] == {
        "warn_after": {"count": 24, "period": "hour"},
        "error_after": {"count": 72, "period": "hour"},
    }
    assert "source('ops', 'loads') }} where dataset = 'bank_transactions'" in config["loaded_at_query"]
    assert "kind not in ('withdrawal', 'replay', 'rebuild')" in config["loaded_at_query"]
    assert "config" not in source_table(generator.sources("orders", [orders]), "orders")


def test_prose_is_never_a_template_to_dbt(orders):
    (rows, _) = yaml.safe_load(generator.models("orders", [orders]))["models"]
    assert rows["columns"][0]["description"] == "Its {{ '{{' }} number }}."


def test_sensitivity_is_kept_for_those_who_grant(bank):
    (rows, _) = yaml.safe_load(generator.models("bank", [bank]))["models"]
    columns = {column["name"]: column for column in rows["columns"]}
    assert columns["details"]["config"] == {"meta": {"classification": "personal"}}
    assert "config" not in columns["balance_inr"]


def test_writing_makes_the_folders_hold_these_files_and_no_others(bank, orders, tmp_path):
    generator.write_bronze(tmp_path, generator.generate([bank, orders]))
    (tmp_path / "models/bronze/_ops__sources.yml").write_text("by hand")
    generator.write_bronze(tmp_path, generator.generate([orders]))
    assert generator.read_bronze(tmp_path) == generator.generate([orders])
    assert not (tmp_path / FOLDER).exists()
    assert (tmp_path / "models/bronze/_ops__sources.yml").read_text() == "by hand"


def test_check_shows_what_drifted_and_changes_nothing(bank, tmp_path, capsys):
    arguments = ["--project", str(tmp_path), "--contracts", str(ROOT / "contracts")]
    assert generator.main(arguments) == 0
    view = tmp_path / FOLDER / "stg_bank_transactions.sql"
    view.write_text(view.read_text().replace("_key as movement_id", "_key as id"))
    (tmp_path / FOLDER / "stg_left_over.sql").write_text("select 1\n")
    assert generator.main([*arguments, "--check"]) == 1
    said = capsys.readouterr()
    assert "-    _key as id,\n+    _key as movement_id,\n" in said.out
    assert "--- models/bronze/bank/stg_left_over.sql\n+++ /dev/null\n" in said.out
    assert "run `make generate`" in said.err
    assert "_key as id" in view.read_text()


def test_a_wrong_contract_is_named_and_nothing_is_written(tmp_path, capsys):
    (tmp_path / "contracts/bank").mkdir(parents=True)
    (tmp_path / "contracts/bank/broken.odcs.yaml").write_text("apiVersion: v3.1.0\n")
    assert generator.main(["--project", str(tmp_path), "--contracts", str(tmp_path / "contracts")]) == 2
    assert "broken.odcs.yaml" in capsys.readouterr().err
    assert not (tmp_path / "models").exists()
