"""Sales samples: the hours of an invented shop, and every fault of them found by a reading that knows no generator."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from datetime import date, datetime

import pytest

from data_ingestion.checks.number_words import Unclear, parse_number_words
from goldworks_samples.domains import write_samples

TODAY = date(2026, 3, 2)
COLUMNS = [
    "transaction_id", "customer_id", "transaction_date", "product_id", "product_name", "quantity", "price", "tax",
    "customer_first_name", "customer_last_name", "customer_email", "customer_phone", "customer_country",
    "customer_city",
]  # fmt: skip
FORMS = {
    "transaction_id": r"T?\d+", "customer_id": r"(\d+\.0)?", "transaction_date": r"(\d{4}-\d\d-\d\d|\d\d-\d\d-\d{4})?",
    "product_id": r"(P?\d+)?", "quantity": r"(\d+\.0)?",
}  # fmt: skip


def written(**settings):
    objects = {}
    drops = write_samples(objects.__setitem__, "sales", **{"today": TODAY, **settings})
    return drops, objects


def read(data):
    """A file's sound rows as dictionaries, and its lines of which none can be made."""
    header, *lines = data.split(b"\n")
    names = header.decode().split(",")
    assert names in (COLUMNS, COLUMNS[:8])
    rows = [(line, row_of(line, names)) for line in lines]
    return [row for _, row in rows if row], [line for line, row in rows if row is None]


def row_of(line, names):
    try:
        (cells,) = csv.reader([line.decode()], strict=True)
        row = dict(zip(names, cells, strict=True))
        if row["transaction_date"]:
            day_of(row)
    except (ValueError, csv.Error):
        return None
    sound = all(re.fullmatch(form, row[name]) for name, form in FORMS.items())
    return row if sound and all(amount(row[name]) is not None for name in ("price", "tax")) else None


def amount(cell):
    """A cell of money as text in digits; None where it spells no number."""
    if re.fullmatch(r"(\d+(\.\d+)?)?", cell):
        return cell
    digits = parse_number_words(cell)
    return None if isinstance(digits, Unclear) else digits


def day_of(row):
    text = row["transaction_date"]
    return datetime.strptime(text, "%Y-%m-%d" if text[4] == "-" else "%d-%m-%Y").date()


def number(row):
    return int(row["transaction_id"].lstrip("T"))


@pytest.fixture(scope="module")
def sales():
    drops, objects = written()
    return drops, {key: read(data) for key, data in objects.items()}


def of(sales, dataset):
    return [row for key, (rows, _) in sales[1].items() if key.startswith(dataset) for row in rows]


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others():
    first = written(scale=0.1)[1]
    assert written(scale=0.1)[1] == first
    assert written(scale=0.1, seed=8)[1] != first


def test_the_last_hours_are_those_of_the_evening_before():
    drops, objects = written(scale=0.1, today=date(2028, 3, 1))
    assert drops[-1].key == "transaction_restatements/2028/02/29/21/transaction_restatements.csv"
    days = [day_of(row) for data in objects.values() for row in read(data)[0] if row["transaction_date"]]
    assert (min(days), max(days)) == (date(2027, 8, 30), date(2028, 2, 29))


def test_a_day_of_the_half_year_sells_as_much_as_one_of_the_last_three(sales):
    days = Counter(row["transaction_date"] for row in of(sales, "customer_transactions"))
    before = [count for day, count in days.items() if "2025-09-01" <= day < "2026-02-27"]
    last = [days[f"2026-{day}"] for day in ("02-27", "02-28", "03-01")]
    assert sum(last) / 3 == pytest.approx(sum(before) / len(before), rel=0.3)


@pytest.mark.parametrize("settings", [{}, {"scale": 0.01}, {"scale": 3.0}, {"faults": False}, {"seed": 99}])
def test_each_file_holds_what_is_said_of_it(settings):
    drops, objects = written(**settings)
    assert [drop.key for drop in drops] == list(objects)
    for drop in drops:
        rows, bad = read(objects[drop.key])
        assert (len(rows) + len(bad), len(bad)) == (drop.rows, drop.bad_rows)
        assert drop.bad_rows <= max(20, drop.rows * 0.05)
    assert any(drop.bad_rows for drop in drops) == settings.get("faults", True)


def test_there_is_a_drop_an_hour_and_none_ends_with_a_line_end(sales):
    keys = [drop.key for drop in sales[0]]
    assert len(set(keys)) == len(keys) == 1 + 3 * 12 + 3
    assert keys == sorted(keys, key=lambda key: key.split("/")[1:5])
    assert not any(data.endswith(b"\n") for data in written(scale=0.1)[1].values())


def test_the_scale_multiplies_the_rows():
    rows = {scale: sum(drop.rows for drop in written(scale=scale)[0]) for scale in (1.0, 4.0)}
    assert rows[4.0] == pytest.approx(4 * rows[1.0], rel=0.1)


def test_the_oddities_of_real_files_are_there(sales):
    rows = of(sales, "customer_transactions")
    assert any(row["transaction_id"].startswith("T") for row in rows)
    assert any(row["product_id"].startswith("P") for row in rows)
    assert {row["customer_id"] == "" for row in rows} == {True, False}
    assert {bool(re.match(r"\d\d-", row["transaction_date"])) for row in rows} == {True, False}
    assert 0.05 < sum(row["quantity"] == "" for row in rows) / len(rows) < 0.2
    for name in ("transaction_date", "product_id", "customer_country"):
        assert any(row[name] == "" for row in rows), name
    words = {row[name] for row in rows for name in ("price", "tax") if row[name][:1].isalpha()}
    assert {word.islower() for word in words} == {word.isupper() for word in words} == {True, False}
    for part in (" and ", "-", "hundred", "fif"):
        assert any(part in word.lower() for word in words), part
    assert any(not row["customer_city"].isascii() for row in rows)


def test_several_people_share_a_number_at_the_till(sales):
    people = defaultdict(set)
    for row in of(sales, "customer_transactions"):
        people[row["customer_id"]].add((row["customer_email"], row["customer_phone"]))
    assert sum(len(those) > 1 for number, those in people.items() if number) > 20


def test_every_person_is_invented(sales):
    for row in of(sales, "customer_transactions"):
        assert row["customer_email"].endswith("@example.com")
        assert row["customer_phone"].startswith("+999-555-")


def test_malformed_rows_are_of_ten_kinds(sales):
    (first, *_), contents = sales
    assert first.bad_rows == 10
    assert Counter(fault_of(line) for line in contents[first.key][1]) == {
        "no id": 1, "customer_id": 1, "no such day": 1, "quantity": 1, "price": 2, "tax": 1, "cells missing": 1,
        "a cell too many": 1, "no UTF-8": 1,
    }  # fmt: skip
    later = Counter(drop.bad_rows for drop in sales[0][1:])
    assert set(later) == {0, 1}


def fault_of(line):
    """The one thing that is wrong with a line."""
    if b"\xe9" in line:
        return "no UTF-8"
    cells = line.decode().split(",")
    if len(cells) != 14:
        return "cells missing" if len(cells) < 14 else "a cell too many"
    row = dict(zip(COLUMNS, cells, strict=True))
    strange = [name for name, form in FORMS.items() if not re.fullmatch(form, row[name])]
    strange += [name for name in ("price", "tax") if amount(row[name]) is None]
    if strange:
        (name,) = strange
        return "no id" if row[name] == "" else name
    return "no such day" if row["transaction_date"] == "30-02-2026" else line


def test_an_hour_brings_some_sales_of_the_hour_before_again_and_some_know_their_quantity_by_then(sales):
    drops, contents = sales
    hours = [contents[drop.key][0] for drop in drops if "/09/" in drop.key or "/10/" in drop.key][:2]
    before, after = ({number(row): row for row in rows} for rows in hours)
    assert before.keys() & after.keys()
    changed = 0
    for drop in drops:
        changed += "with the quantity now" in drop.note
    assert changed


def test_rows_that_come_twice_are_equal_to_the_byte():
    drops, objects = written()
    told = sum(int(found[1]) for drop in drops if (found := re.search(r"(\d+) repeated", drop.note)))
    counts = [Counter(data.split(b"\n")[1:]) for data in objects.values()]
    assert told <= sum(sum(lines.values()) - len(lines) for lines in counts)
    assert told


def test_one_hour_is_closed_and_one_is_a_copy_of_the_hour_before():
    drops, objects = written(scale=0.1)
    assert [drop.rows for drop in drops if drop.note == "no sale"] == [0]
    (copy,) = (drop.key for drop in drops if "hour before" in drop.note and "bytes" in drop.note)
    assert objects[copy] == objects[copy.replace("/20/", "/19/")]


def test_restatements_move_a_sale_know_a_quantity_leave_cells_empty_and_name_sales_that_never_came(sales):
    sold = {number(row): row for row in of(sales, "customer_transactions")}
    restated = {number(row): row for row in of(sales, "transaction_restatements")}
    both = sold.keys() & restated.keys()
    assert any(
        restated[one]["transaction_date"]
        and sold[one]["transaction_date"]
        and day_of(restated[one]) != day_of(sold[one])
        for one in both
    )
    assert any(restated[one]["quantity"] != sold[one]["quantity"] for one in both)
    assert any(restated[one]["price"] == "" for one in both)
    assert restated.keys() - sold.keys()


def test_without_faults_every_sale_comes_once():
    _, objects = written(faults=False)
    numbers = Counter(
        number(row) for key, data in objects.items() if key.startswith("customer") for row in read(data)[0]
    )
    assert set(numbers.values()) == {1}
