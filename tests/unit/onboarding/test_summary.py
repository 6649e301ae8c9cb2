"""Summary: a dataset is first looked at by its day, by few categories, and by numbers that can be added up."""

import pyarrow as pa
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.draft.sample import read_sample
from data_ingestion.draft.write import write_draft
from onboarding.summary import Summary, choices_of, summarize

HEADER = "order_no;ordered;birthday;country;channel;note;e_mail;amount;year;customer_id"
ROWS = [
    f"{n};2026-01-0{1 + n % 9};1970-01-01;{'DFIS'[n % 4]};{'ws'[n % 2]};text {n};a{n % 3}@x.org;{n}.50;2026;{n % 5}"
    for n in range(40)
]


def contract_and_texts(tmp_path, header=HEADER, rows=ROWS):
    file = tmp_path / "orders.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    sample = read_sample(file)
    target = tmp_path / "shop" / "orders.odcs.yaml"
    target.parent.mkdir()
    target.write_text(write_draft(sample, domain="shop", dataset="orders", path="orders/*.csv").text)
    return read_contract(target), dict(sample.columns)


def test_day_categories_and_measures_are_found(tmp_path):
    assert summarize(*contract_and_texts(tmp_path)) == Summary("ordered", ("channel", "country"), ("amount",))


def test_personal_columns_are_not_offered(tmp_path):
    choices = choices_of(contract_and_texts(tmp_path)[0])
    assert "birthday" not in choices.days and "e_mail" not in choices.categories


def test_a_day_that_many_rows_lack_is_not_theirs(tmp_path):
    contract, texts = contract_and_texts(tmp_path)
    few = pa.array(texts["ordered"].to_pylist()[:20] + [None] * 20, pa.string())
    assert summarize(contract, {**texts, "ordered": few}).day == ""


@pytest.mark.parametrize("header", ["lat", "share", "exchange_rate", "postcode"])
def test_numbers_whose_sum_means_nothing_are_not_added_up(tmp_path, header):
    contract, texts = contract_and_texts(tmp_path, f"name,{header}", [f"n{n},{n}.5" for n in range(9)])
    assert summarize(contract, texts).measures == ()
