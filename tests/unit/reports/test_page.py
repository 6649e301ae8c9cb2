from datetime import UTC, date, datetime

import pandas as pd

from data_ingestion.reports.definition import Plot, Report, ReportTable
from data_ingestion.reports.page import ROWS_SHOWN, page
from data_ingestion.reports.plots import as_svg

AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
COLUMNS = {"day": "Day", "status": "Status", "orders": "Open orders"}
TABLE = ReportTable("dates", "By date", "mart", COLUMNS, ("day",), plot=Plot("day", "orders", by="status"))
ROWS = pd.DataFrame(
    [(date(2026, 1, 5), "PENDING", 1200), (date(2026, 1, 5), "<b>", 3), (date(2026, 1, 6), "PENDING", 5)],
    columns=list(COLUMNS), dtype=object,
)  # fmt: skip


def told(rows: pd.DataFrame) -> str:
    return page(Report("orders", "open", "Open & pending", "What waits.", (TABLE,)), {"dates": rows}, AT)


def test_the_page_shows_headings_numbers_and_whence() -> None:
    html = told(ROWS)
    assert "<h1>Open &amp; pending</h1>" in html and "As of 2026-01-05 08:00 UTC" in html
    assert '<td>2026-01-05</td><td>PENDING</td><td class="n">1,200</td>' in html
    assert '<a href="dates.csv">' in html


def test_what_the_data_says_is_never_markup() -> None:
    assert "<b>" not in told(ROWS)
    assert "&lt;b&gt;" in told(ROWS)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    html = told(ROWS)
    assert "<script" not in html and "src=" not in html and "@import" not in html
    assert html.count("<svg") == html.count("</svg>") == 1


def test_an_empty_table_says_so_and_draws_nothing() -> None:
    html = told(ROWS.head(0))
    assert "<p>None.</p>" in html and "<svg" not in html


def test_a_long_table_is_cut_and_says_by_how_much() -> None:
    rows = pd.concat([ROWS] * ROWS_SHOWN, ignore_index=True)
    assert f"… and {2 * ROWS_SHOWN:,} rows more" in told(rows)


def test_the_same_rows_are_drawn_alike_and_others_not() -> None:
    assert as_svg(TABLE, ROWS) == as_svg(TABLE, ROWS)
    assert as_svg(TABLE, ROWS) != as_svg(TABLE, ROWS.head(2))


def test_bars_of_a_kind_stand_on_those_before_and_are_named() -> None:
    drawn = as_svg(TABLE, ROWS)
    assert "PENDING" in drawn and "&lt;b&gt;" in drawn and "Open orders" in drawn
