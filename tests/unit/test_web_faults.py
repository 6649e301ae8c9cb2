"""The web contract, one tiny file a fault: what comes in, as what, and what is set aside for which reason."""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.errors import DropFault
from tests.unit.fault_files import judged_drop

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / "tests/fixtures/web"
EVENTS = read_contract(ROOT / "contracts/web/events.odcs.yaml")
EVENT = {
    "event_id": UUID("0f6d3c1e-5b7a-4c2d-9e8f-a1b2c3d4e5f6").bytes,
    "event_date": date(2026, 1, 31),
    "email": "ana.silva@heron-mills.example",
    "country": "Peru",
    "ip": "192.0.2.7",
    "uri": "index",
    "action": "visit",
    "tags": "['elm', 'sun', 'K2']",
}
NEIGHBOUR = {**EVENT, "event_id": UUID("1a2b3c4d-0000-4000-8000-00000000000a").bytes}


def checked(name):
    return judged_drop(FILES / name, EVENTS, "2026/01/events.csv")


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("sound.csv", {}),
        ("id_in_capitals.csv", {}),
        ("id_with_blanks_around.csv", {}),
        ("day_with_slashes.csv", {}),
        ("bom_and_crlf.csv", {}),
        ("columns_in_another_order.csv", {}),
        ("email_in_capitals.csv", {"email": "ana.silva@Heron-Mills.Example"}),
        ("country_with_comma.csv", {"country": "Korea, Republic of"}),
        ("country_missing.csv", {"country": None}),
        ("ip_version_6.csv", {"ip": "2001:0DB8::00ff"}),
        ("ip_that_is_none.csv", {"ip": "203.0.113.256"}),
        ("action_unknown.csv", {"action": "vist"}),
        ("tags_of_no_words.csv", {"tags": "[]"}),
        ("tags_of_one_word.csv", {"tags": "['tea']"}),
        ("tags_with_both_quotes.csv", {"tags": """['K2', "it's", 'say \\"hi\\"']"""}),
        ("tags_missing.csv", {"tags": None}),
    ],
)
def test_what_is_odd_but_sound_comes_in(name, change):
    assert checked(name) == ({2: {**EVENT, **change}, 3: NEIGHBOUR}, [])


@pytest.mark.parametrize(
    ("name", "column", "reason"),
    [
        ("id_cut_short.csv", "event_id", "not_a_uuid"),
        ("id_without_hyphens.csv", "event_id", "not_a_uuid"),
        ("id_of_other_letters.csv", "event_id", "not_a_uuid"),
        ("id_missing.csv", "event_id", "missing"),
        ("day_that_is_none.csv", "event_date", "not_a_date"),
        ("day_of_another_form.csv", "event_date", "not_a_date"),
        ("day_with_a_time.csv", "event_date", "not_a_date"),
        ("day_missing.csv", "event_date", "missing"),
        ("email_missing.csv", "email", "missing"),
        ("email_no_utf8.csv", "email", "bad_utf8"),
        ("country_with_comma_unquoted.csv", None, "too_many_columns"),
        ("tags_unquoted.csv", None, "too_many_columns"),
        ("columns_missing.csv", None, "too_few_columns"),
        ("quote_left_open.csv", "tags", "unclosed_quote"),
        ("nul_byte.csv", "uri", "nul_byte"),
    ],
)
def test_what_breaks_the_contract_is_set_aside_alone(name, column, reason):
    assert checked(name) == ({3: NEIGHBOUR}, [(2, column, reason)])


def test_a_row_twice_is_two_rows_until_the_stage_compares_them():
    assert checked("row_twice.csv") == ({2: EVENT, 3: NEIGHBOUR, 4: EVENT}, [])


def test_a_month_without_events_is_a_month():
    assert checked("header_only.csv") == ({}, [])


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("column_unknown.csv", "unknown 'referrer'"),
        ("column_missing.csv", "missing 'tags'"),
        ("header_missing.csv", "seems to have no header"),
        ("empty.csv", "the file is empty"),
    ],
)
def test_a_file_that_leaves_a_doubt_about_its_columns_is_refused_whole(name, message):
    with pytest.raises(DropFault, match=message):
        checked(name)


def test_every_file_here_is_of_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    assert [path.name for path in FILES.glob("*.csv") if f'"{path.name}"' not in text] == []
