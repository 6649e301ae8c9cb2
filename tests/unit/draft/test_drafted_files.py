"""Drafted files: what banks, shops and ERPs send is read whole by the contract that is drafted from it, unchanged."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from data_ingestion.contract import read_contract
from data_ingestion.draft.sample import read_sample
from data_ingestion.draft.write import write_draft
from data_ingestion.trial import try_file

Sums = dict[str, Decimal]


def german_bank(file: Path) -> tuple[int, Sums]:
    """A preamble, decimal commas, windows-1252."""
    lines = [
        "Umsatzanzeige;Girokonto",
        "",
        "Zeitraum:;01.10.2026 - 31.10.2026",
        "",
        "Buchung;Empfänger;Zweck;Betrag",
    ]
    for number in range(60):
        amount = f"{'-' if number % 3 else ''}{number + 1}.{number + 100},{number:02}"
        lines.append(f"{1 + number % 28:02}.10.2026;Müller {number % 9};Miete {number};{amount}")
    file.write_text("\n".join(lines), encoding="windows-1252")
    signed = (
        (-1 if number % 3 else 1) * Decimal(f"{number + 1}{number + 100}.{number:02}") for number in range(60)
    )
    return 60, {"betrag": sum(signed, Decimal(0))}


def sap_list(file: Path) -> tuple[int, Sums]:
    """A minus behind the number, codes with zeros in front."""
    rows = [f"{100000 + n:018}|{1000 + n % 2}|{n},{n:02}{'-' if n % 4 == 0 else ''}|EUR" for n in range(60)]
    file.write_text("\n".join(["Material|Werk|Betrag|Wr", *rows]))
    signed = ((-1 if n % 4 == 0 else 1) * Decimal(f"{n}.{n:02}") for n in range(60))
    return 60, {"betrag": sum(signed, Decimal(0))}


def shop_orders(file: Path) -> tuple[int, Sums]:
    """An order is its lines; texts with line ends, quotes and commas."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(["Name", "Email", "Paid at", "Total", "Lineitem quantity", "Lineitem name", "Notes"])
    for n in range(60):
        of_order = [f"a{n}@example.com", f"2026-09-{1 + n % 28:02} 10:00:00 +0200", f"{n}.50"]
        item = [1 + n % 4, f'Thing, "{n % 7}"', "one line\nand another" if n % 9 == 0 else ""]
        writer.writerow([f"#{1001 + n // 2}", *(of_order if n % 2 == 0 else ["", "", ""]), *item])
    file.write_text(written.getvalue(), newline="")
    totals = (Decimal(f"{n}.50") for n in range(0, 60, 2))
    return 60, {
        "total": sum(totals, Decimal(0)),
        "lineitem_quantity": Decimal(sum(1 + n % 4 for n in range(60))),
    }


def web_analytics(file: Path) -> tuple[int, Sums]:
    """Comments before the header."""
    lines = ["# ----", "# Acquisition", "# Start date: 20260901", "", "Session source,Users,Engagement rate"]
    lines += [f"source {n},{n * 7},{n}.{n:010}" for n in range(60)]
    file.write_text("\n".join(lines))
    rates = (Decimal(f"{n}.{n:010}") for n in range(60))
    return 60, {"users": Decimal(sum(n * 7 for n in range(60))), "engagement_rate": sum(rates, Decimal(0))}


def workbook(file: Path) -> tuple[int, Sums]:
    """A title over merged cells, an empty row, and sheets besides."""
    book = openpyxl.Workbook()
    book.active["A1"] = "Report of sales"
    book.active.merge_cells("A1:C1")
    book.active.append([])
    book.active.append(["Article", "Pieces", "Revenue"])
    for n in range(60):
        book.active.append([f"A{n}", n, n + 0.25])
    for title in ("Notes", "Prices"):
        book.create_sheet(title).append(["something else"])
    book.save(file)
    return 60, {
        "pieces": Decimal(sum(range(60))),
        "revenue": sum((n + Decimal("0.25") for n in range(60)), Decimal(0)),
    }


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("bank.csv", german_bank),
        ("list.txt", sap_list),
        ("orders.csv", shop_orders),
        ("analytics.csv", web_analytics),
        ("report.xlsx", workbook),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_row_and_every_sum_is_the_file_s_own(tmp_path, name, make):
    file = tmp_path / name
    rows, sums = make(file)
    contract = tmp_path / "shop" / "things.odcs.yaml"
    contract.parent.mkdir()
    contract.write_text(
        write_draft(read_sample(file), domain="shop", dataset="things", path=f"things/{name}").text
    )
    trial = try_file(file, read_contract(contract), f"things/{name}", most_bad=10)
    assert (trial.refused, trial.bad) == (None, ())
    assert (trial.read, trial.rows) == (rows, rows)
    assert {column: Decimal(str(total)) for column, total in trial.sums.items() if column in sums} == sums
