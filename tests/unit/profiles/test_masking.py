"""Relations: which columns of raw and of models may be shown. What nobody has thought of is masked."""

from dataclasses import replace
from pathlib import Path

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.profiles.facts import Relation
from data_ingestion.profiles.masking import relations_of

WEB = read_contract(Path("contracts/web/events.odcs.yaml"))
MARKED = {column.name for column in WEB.columns if column.classification}
OPEN = next(column.name for column in WEB.columns if not column.classification)


def model(name, layer="gold", domain="web", **marks):
    """A model of the manifest; a column's mark is None, a classification, or 'meta:…' as dbt wrote it before 1.10."""
    columns = {
        column: {"name": column, "meta": {}, "config": {"meta": {"classification": mark} if mark else {}}}
        for column, mark in marks.items()
    }
    node = {"resource_type": "model", "name": name, "alias": name, "schema": layer, "columns": columns,
            "original_file_path": f"models/{layer}/{domain}/{name}.sql"}  # fmt: skip
    return {f"model.goldworks.{name}": node}


def relation(*models) -> Relation:
    nodes = {key: node for each in models for key, node in each.items()}
    return relations_of([WEB], {"nodes": nodes})[1]


def test_raw_shows_what_its_contract_leaves_open_and_our_bookkeeping():
    (raw,) = relations_of([WEB], None)
    assert (raw.layer, raw.qualified_name) == ("raw", "raw.events")
    assert MARKED
    for column in WEB.columns:
        assert raw.may_show(column.name, "text") is (column.name not in MARKED)
    assert raw.may_show("_load_id", "bigint")
    assert not raw.may_show("_key", "uuid"), "a hash of personal data is personal"


@pytest.mark.parametrize("mark", ["internal", "confidential", "personal"])
def test_only_public_may_be_shown_of_what_is_marked(mark):
    first, *others = WEB.columns
    marked = replace(WEB, columns=(replace(first, classification=mark, keep_text=True), *others))
    (raw,) = relations_of([marked], None)
    assert not raw.may_show(first.name, "bigint")
    assert not raw.may_show(f"{first.name}__text", "text")
    public = replace(WEB, columns=(replace(first, classification="public"), *others))
    assert relations_of([public], None)[0].may_show(first.name, "text")


def test_a_marked_column_of_a_model_is_masked_and_a_public_one_shown():
    found = relation(model("mart", who="personal", what="public"))
    assert not found.may_show("who", "text")
    assert found.may_show("what", "text")
    assert found.marks == (("what", "public"), ("who", "personal"))


def test_an_unmarked_column_beside_a_marked_one_is_masked_whatever_its_type():
    found = relation(model("mart", who="personal", amount=None))
    assert not found.may_show("amount", "bigint")


def test_a_column_that_the_contract_leaves_open_is_shown_under_its_name_everywhere():
    found = relation(model("mart", **{"who": "personal", OPEN: None}))
    assert found.may_show(OPEN, "text")


def test_a_forgotten_mark_is_found_by_the_name_that_is_marked_elsewhere():
    name = next(iter(MARKED))
    found = relation(model("mart", **{name: None, "events": None}))
    assert not found.may_show(name, "text")
    assert not found.may_show("events", "bigint"), "the model holds it"
    of_another_model = relation(model("a", name_of_person=None), model("b", name_of_person="personal"))
    assert not of_another_model.may_show("name_of_person", "bigint")


def test_where_nothing_is_marked_numbers_and_days_are_shown_and_texts_are_not():
    found = relation(model("mart", events=None, day=None, label=None))
    assert found.may_show("events", "bigint")
    assert found.may_show("day", "date")
    assert not found.may_show("label", "text")
    assert not found.may_show("label", "uuid")


def test_a_column_that_nobody_has_described_is_masked():
    assert not relation(model("mart", events=None)).may_show("another", "bigint")


def test_models_come_by_layer_without_other_domains_and_without_the_lists_of_changes():
    nodes = {}
    for each in (
        model("mart"), model("int", "silver"), model("stg", "bronze"), model("stg__changes", "bronze"),
        model("other", domain="bank"),
    ):  # fmt: skip
        nodes |= each
    nodes["test.x"] = {"resource_type": "test", "original_file_path": "models/gold/web/x.yml"}
    found = relations_of([WEB], {"nodes": nodes})
    assert [one.qualified_name for one in found] == ["raw.events", "bronze.stg", "silver.int", "gold.mart"]
