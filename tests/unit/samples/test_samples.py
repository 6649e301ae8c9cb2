"""Samples: the same bytes for the same seed, in the shapes and with the faults that their notes promise."""

from __future__ import annotations

import io
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest

from data_ingestion.contract.file_formats import CsvFormat
from data_ingestion.errors import UsageFault
from data_ingestion.reading import BadRecord, read_csv
from goldworks_samples.domains import DOMAINS, write_samples
from goldworks_samples.drop import SampleDrop

TODAY = date(2026, 7, 1)
FORM = CsvFormat(skip_initial_space=True)
Row = tuple[str | None, ...]


def written(**settings: object) -> tuple[tuple[SampleDrop, ...], dict[str, bytes]]:
    objects: dict[str, bytes] = {}
    drops = write_samples(objects.__setitem__, "bank", **{"today": TODAY, **settings})  # type: ignore[arg-type]
    return drops, objects


def read(data: bytes) -> tuple[list[Row], list[BadRecord]]:
    rows: list[Row] = []
    bad: list[BadRecord] = []
    for chunk in read_csv(io.BytesIO(data), FORM):
        rows += zip(*(column.to_pylist() for column in chunk.table.columns), strict=True)
        bad += chunk.bad
    return rows, bad


@pytest.fixture(scope="module")
def bank() -> tuple[tuple[SampleDrop, ...], dict[str, bytes]]:
    return written()


def money(cell: str | None) -> Decimal:
    return Decimal((cell or "0").replace(",", ""))


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(bank):
    assert written()[1] == bank[1]
    assert written(seed=8)[1] != bank[1]


@pytest.mark.parametrize(
    ("today", "first", "names"),
    [
        (TODAY, date(2025, 1, 1), ["settlement_2025.csv", "settlement_2025_2026.csv"]),
        (date(2027, 1, 1), date(2025, 7, 1), ["settlement_2025.csv", "settlement_2025_2026.csv"]),
        (date(2027, 6, 15), date(2026, 1, 1), ["settlement_2026.csv", "settlement_2026_2027.csv"]),
    ],
)
def test_movements_are_of_the_eighteen_months_up_to_the_day_before(today, first, names):
    _, objects = written(today=today, faults=False)
    assert [key.rpartition("/")[2] for key in objects if "settlement" in key] == names
    (treasury,) = (read(data)[0] for key, data in objects.items() if key.endswith("502000118734.csv"))
    days = [datetime.strptime(str(row[1]), "%Y-%m-%d").date() for row in treasury]
    assert (min(days) - first).days < 7
    assert 0 < (today - max(days)).days < 7


def test_the_shorter_export_is_the_year_that_is_over():
    _, objects = written()
    rows = read(objects["bank_transactions/exports/settlement_2025.csv"])[0]
    assert {str(row[1])[-2:] for row in rows} == {"25"}


def test_there_are_about_six_thousand_movements_on_six_accounts(bank):
    rows = {row for data in csv_files(bank).values() for row in read(data)[0]}
    assert 5_500 < len(rows) < 6_800
    assert len({row[0] for row in rows}) == 6


@pytest.mark.parametrize("settings", [{}, {"scale": 0.02}, {"scale": 3.0}, {"faults": False}, {"seed": 99}])
def test_each_file_holds_what_is_said_of_it(settings):
    drops, objects = written(**settings)
    assert [drop.key for drop in drops] == list(objects)
    for drop in drops:
        if not drop.rows:
            continue
        rows, bad = read(objects[drop.key])
        impossible = sum(row[1] == "31-Feb-26" for row in rows)
        assert (len(rows) + len(bad), len(bad) + impossible) == (drop.rows, drop.bad_rows)
        assert not drop.bad_rows or drop.bad_rows <= max(20, drop.rows * 0.05)
    assert any(drop.bad_rows for drop in drops) == settings.get("faults", True)


def test_malformed_rows_are_of_four_kinds_and_each_spoils_one_row(bank):
    rows, bad = read(bank[1]["bank_transactions/exports/charges.csv"])
    kinds = Counter(record.reason for record in bad)
    assert set(kinds) == {"too_few_columns", "bad_utf8", "unclosed_quote"}
    assert all(record.raw.count(b"\n") == 0 for record in bad)
    assert any(row[1] == "31-Feb-26" for row in rows)


@pytest.mark.parametrize("scale", [0.02, 1.0])
def test_balances_run_and_every_movement_is_a_withdrawal_or_a_deposit(scale):
    _, objects = written(scale=scale, faults=False)
    for data in objects.values():
        rows, bad = read(data)
        assert rows
        assert not bad
        before: Decimal | None = None
        for _, _, _, _, _, withdrawal, deposit, balance, _ in rows:
            assert (withdrawal is None) != (deposit is None)
            if before is not None:
                assert before - money(withdrawal) + money(deposit) == money(balance)
            before = money(balance)


@pytest.mark.parametrize("scale", [0.02, 1.0, 3.0])
def test_two_accounts_withdraw_more_than_a_billion(scale):
    _, objects = written(scale=scale, faults=False)
    totals: Counter[str] = Counter()
    for row in {row for data in objects.values() for row in read(data)[0]}:
        totals[str(row[0])] += money(row[5])  # type: ignore[assignment]
    assert sum(total > 1_000_000_000 for total in totals.values()) == 2


def test_the_longer_export_starts_with_the_shorter_one(bank):
    shorter = bank[1]["bank_transactions/exports/settlement_2025.csv"]
    longer = bank[1]["bank_transactions/exports/settlement_2025_2026.csv"]
    assert longer.startswith(shorter)
    assert len(longer) > len(shorter)


def test_the_copy_is_a_copy_and_the_readme_is_of_no_contract(bank):
    drops, objects = bank
    assert (
        objects["bank_transactions/exports/payroll.csv"]
        == objects["bank_transactions/exports/payroll_copy.csv"]
    )
    assert "bank_transactions/readme.txt" in objects
    assert [drop.rows for drop in drops if drop.key.endswith(".txt")] == [0]


def test_the_oddities_of_real_files_are_there(bank):
    whole = b"".join(csv_files(bank).values())
    for oddity in (b"/KITE, SPOOL", b'THE ""OWL""', b',"Jun ', b"-Jun-25,", b"TRF TO  ", b"E-"):
        assert oddity in whole, oddity
    rows = [row for data in csv_files(bank).values() for row in read(data)[0]]
    assert any(row[2] is None for row in rows), "empty details"
    assert any((row[3] or "").endswith(".0") for row in rows), "cheque numbers as floats"
    assert any((row[4] or "") < (row[1] or "") for row in rows if (row[1] or "").startswith("202")), (
        "backdated"
    )
    account_rows = read(bank[1]["bank_transactions/accounts/502000118734.csv"])[0]
    contents = Counter(row[:8] for row in account_rows)
    assert max(contents.values()) == 2, "truly equal movements"


def test_a_domain_without_samples_is_named():
    with pytest.raises(UsageFault, match="fleeet"):
        write_samples(dict[str, bytes]().__setitem__, "fleeet", today=TODAY)
    assert DOMAINS == ("bank", "fleet", "sales", "web")


def csv_files(bank: tuple[tuple[SampleDrop, ...], dict[str, bytes]]) -> dict[str, bytes]:
    return {key: data for key, data in bank[1].items() if key.endswith(".csv")}
