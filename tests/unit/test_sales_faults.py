"""The sales contracts, one tiny file a fault: what comes in, as what, and what is set aside for which reason."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.errors import DropFault
from tests.unit.fault_files import judged_drop

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests/fixtures/sales"
SALES, RESTATEMENTS = (
    read_contract(ROOT / f"contracts/sales/{name}.odcs.yaml")
    for name in ("customer_transactions", "transaction_restatements")
)
SALE = {
    "transaction_id": 7001,
    "customer_id": 61,
    "transaction_date": date(2026, 3, 5),
    "product_id": 40,
    "product_name": "Kettle",
    "quantity": 2,
    "price": Decimal("31.25"),
    "tax": Decimal("3.10"),
    "customer_first_name": "Ana",
    "customer_last_name": "Silva",
    "customer_email": "ana.silva@heron-mills.example",
    "customer_phone": "+351-555-0107",
    "customer_country": "Portugal",
    "customer_city": "Porto",
}
NEIGHBOUR = {**SALE, "transaction_id": 7002}
NOBODY = dict.fromkeys(("first_name", "last_name", "email", "phone"))


def checked(name, contract=SALES):
    return judged_drop(FILES / name, contract, name)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sound.csv", {}),
        ("line_end_at_end.csv", {}),
        ("id_with_letter.csv", {}),
        ("customer_id_plain.csv", {}),
        ("customer_id_missing.csv", {"customer_id": None}),
        ("day_first.csv", {}),
        ("day_missing.csv", {"transaction_date": None}),
        ("product_id_with_letter.csv", {}),
        ("product_id_missing.csv", {"product_id": None}),
        ("quantity_plain.csv", {}),
        ("quantity_missing.csv", {"quantity": None}),
        ("price_in_words.csv", {"price": Decimal(200)}),
        ("price_in_compound_words.csv", {"price": Decimal(1255)}),
        ("price_in_words_with_decimals.csv", {"price": Decimal("19.95")}),
        ("price_missing.csv", {"price": None}),
        ("tax_in_words.csv", {"tax": Decimal(15)}),
        ("place_missing.csv", {"customer_country": None, "customer_city": None}),
        ("person_missing.csv", {f"customer_{name}": None for name in NOBODY}),
        ("names_with_accents.csv", {"customer_last_name": "Água", "customer_city": "Évora"}),
    ],
)
def test_what_is_odd_but_sound_comes_in(name, change):
    assert checked(name) == ({2: {**SALE, **change}, 3: NEIGHBOUR}, [])


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("id_missing.csv", "transaction_id", "missing"),
        ("id_of_words.csv", "transaction_id", "not_an_integer"),
        ("id_with_two_letters.csv", "transaction_id", "not_an_integer"),
        ("customer_id_of_letters.csv", "customer_id", "not_an_integer"),
        ("day_that_is_none.csv", "transaction_date", "not_a_date"),
        ("day_with_month_first.csv", "transaction_date", "not_a_date"),
        ("quantity_in_halves.csv", "quantity", "not_an_integer"),
        ("quantity_in_words.csv", "quantity", "not_an_integer"),
        ("price_of_too_many_words.csv", "price", "not_number_words"),
        ("price_of_hundreds_twice.csv", "price", "not_number_words"),
        ("price_with_currency.csv", "price", "not_a_number"),
        ("price_in_thousandths.csv", "price", "too_precise"),
        ("tax_misspelt.csv", "tax", "not_number_words"),
        ("cells_missing.csv", None, "too_few_columns"),
        ("cell_with_comma_unquoted.csv", None, "too_many_columns"),
    ],
)
def test_what_breaks_the_contract_is_set_aside_alone(name, column, reason):
    assert checked(name) == ({3: NEIGHBOUR}, [(2, column, reason)])


def test_a_restatement_is_the_first_eight_columns():
    sale = {name: SALE[name] for name in list(SALE)[:8]}
    expected = {2: sale, 3: {**sale, "transaction_id": 7002}}
    assert checked("header_of_the_restatements.csv", RESTATEMENTS) == (expected, [])


@pytest.mark.parametrize(
    ("name", "contract", "message"),
    [
        ("column_unknown.csv", SALES, "unknown 'till'"),
        ("header_of_the_restatements.csv", SALES, "missing: 'customer_first_name'"),
        ("sound.csv", RESTATEMENTS, "unknown: 'customer_first_name'"),
    ],
)
def test_a_file_of_the_other_shape_is_refused_whole(name, contract, message):
    with pytest.raises(DropFault, match=message):
        checked(name, contract)


def test_an_hour_s_folder_says_its_period_and_neither_contract_claims_the_other_s():
    key = "customer_transactions/2026/03/05/07/customer_transactions.csv"
    assert SALES.match(key)
    assert RESTATEMENTS.match(key) is None
    assert SALES.match(key.replace("customer_transactions/", "transaction_restatements/", 1)) is None


def test_who_bought_is_personal():
    personal = {column.name for column in SALES.columns if column.classification == "personal"}
    assert personal == {"customer_id", *(f"customer_{name}" for name in NOBODY)}


def test_every_file_here_is_of_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in FILES.glob("*.csv") if f'"{path.name}"' not in text] == []
