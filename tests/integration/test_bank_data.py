"""The bank's real exports: nothing lost, totals right however often and in whatever form they come.

The expected totals are computed here from the files, independently of the loader. Skips where the files are absent.
"""

import csv
import shutil
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from data_ingestion.ledger import Fates, Kind

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "bank_transactions"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not on this machine")
AMOUNTS = ("WITHDRAWAL AMT", "DEPOSIT AMT", "BALANCE AMT")


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    names = [name.strip() for name in header]
    return [dict(zip(names, (cell.strip() for cell in row), strict=True)) for row in rows]


def totals(paths):
    """Rows, withdrawals, deposits and the sum of balances by account, from the files."""
    sums = defaultdict(lambda: [0, Decimal(0), Decimal(0), Decimal(0)])
    for path in paths:
        for row in rows_of(path):
            account = sums[row["Account No"].rstrip("'")]
            account[0] += 1
            for place, name in enumerate(AMOUNTS, start=1):
                account[place] += Decimal(row[name].replace(",", "") or 0)
    return {account: tuple(values) for account, values in sums.items()}


def loaded_totals(warehouse):
    rows = warehouse.connection.execute(
        """select account_no, count(*), coalesce(sum(withdrawal_inr), 0), coalesce(sum(deposit_inr), 0),
                  sum(balance_inr)
           from raw.bank_transactions group by 1"""
    ).fetchall()
    return {row[0]: row[1:] for row in rows}


@pytest.fixture
def files(landing):
    folder = landing.root / "bank_transactions"
    folder.mkdir()
    return [Path(shutil.copy(path, folder)) for path in sorted(DATA.glob("*.csv"))]


@pytest.fixture
def loaded(files, bank, load):
    return load(bank)


def test_both_shapes_load_with_nothing_lost(files, loaded, warehouse):
    assert sum((report.fates for report in loaded), Fates()).quarantined == 0
    assert loaded_totals(warehouse) == totals(files)


def test_every_cell_is_in_raw(files, loaded, warehouse):
    expected = Counter(
        (row["Account No"].rstrip("'"), row["TRANSACTION DETAILS"] or None, row["CHQ.NO."] or None,
         row["DISCREPANCIES"] and float(row["DISCREPANCIES"]) if "DISCREPANCIES" in row else None)
        for path in files for row in rows_of(path)
    )  # fmt: skip
    held = warehouse.connection.execute(
        "select account_no, details, cheque_no__text, discrepancy from raw.bank_transactions"
    )
    assert Counter(held.fetchall()) == expected


def test_loaded_twice_changes_nothing(files, loaded, bank, load, warehouse):
    assert load(bank) == []
    assert loaded_totals(warehouse) == totals(files)


def test_the_same_bytes_under_another_name_change_nothing(files, loaded, bank, load, warehouse):
    shutil.copy(files[0], files[0].with_name("again.csv"))
    (report,) = load(bank)
    assert report.kind is Kind.DUPLICATE
    assert loaded_totals(warehouse) == totals(files)


def test_a_corrected_copy_replaces_exactly_its_own_rows(files, loaded, bank, load, warehouse):
    lines = files[1].read_text().splitlines()
    corrected = [lines[0], *lines[2:40], lines[40].replace(",0.0", ",0.5"), *lines[41:]]
    files[1].write_text("\n".join(corrected) + "\n")
    (report,) = load(bank)
    assert report.kind is Kind.CORRECTED
    assert report.fates.withdrawn == 1
    assert loaded_totals(warehouse) == totals(files)


def test_a_longer_export_that_repeats_the_rows_adds_only_what_is_new(files, landing, bank, load, warehouse):
    whole = files[2]
    lines = whole.read_text().splitlines()
    part = whole.with_name("first_half.csv")
    part.write_text("\n".join(lines[:5000]) + "\n")
    expected = totals(files)
    whole.rename(landing.root / "kept_aside")
    load(bank)
    (landing.root / "kept_aside").rename(whole)
    whole.touch()
    (report,) = load(bank)
    assert report.fates == Fates(read=len(lines) - 1, inserted=len(lines) - 5000, unchanged=4999)
    assert loaded_totals(warehouse) == expected


def test_one_percent_of_malformed_rows_is_quarantined_and_every_other_row_is_in(files, bank, load, warehouse):
    path = files[2]
    lines = path.read_bytes().splitlines()
    faults = (
        lambda line: line.rsplit(b",", 3)[0],
        lambda line: line.replace(b", 20", b", 30-Foo-", 1),
        lambda line: line.replace(b", ", b", \xff", 2),
        lambda line: line.replace(b", ", b', "', 1),
    )
    broken = range(60, len(lines), 100)
    for turn, index in enumerate(broken):
        lines[index] = faults[turn % len(faults)](lines[index])
    path.write_bytes(b"\n".join(lines) + b"\n")
    for other in (*files[:2], *files[3:]):
        other.unlink()
    (report,) = load(bank)
    assert report.fates.quarantined == len(broken)
    assert report.fates.inserted == len(lines) - 1 - len(broken)
    rows = warehouse.quarantined("bank_transactions", limit=1000)
    assert [row["line"] for row in rows] == [index + 1 for index in broken]
    kept = warehouse.connection.execute(
        "select coalesce(raw_bytes, convert_to(raw_text, 'UTF8')) from ops.quarantine order by line"
    ).fetchall()
    assert [bytes(raw) for (raw,) in kept] == [lines[index] for index in broken]
    assert {row["reason"] for row in rows} == {"too_few_columns", "not_a_date", "bad_utf8", "unclosed_quote"}
