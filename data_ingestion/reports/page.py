"""Page: a report as one HTML page that needs nothing else, neither script nor network."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from html import escape
from typing import Any

import pandas as pd

from data_ingestion.reports.definition import Report, ReportTable
from data_ingestion.reports.plots import as_svg

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1d2733; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .3rem; border-bottom: 2px solid #d9a21b; padding-bottom: .2rem; }
p { margin: .3rem 0; color: #4a5766; }
table { border-collapse: collapse; margin: .5rem 0 1rem; }
th, td { text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #e3e8ee; }
th { font-weight: 600; color: #4a5766; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
svg { max-width: 100%; height: auto; }
a { color: #1f5fa8; }
"""
ROWS_SHOWN = 200  # the file has all


def page(report: Report, tables: Mapping[str, pd.DataFrame], at: datetime) -> str:
    """The page of a report; `tables` hold the rows of each of its tables by name, columns under their own names."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(report.title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(report.title)}</h1>",
            f"<p>{escape(report.description)} As of {at:%Y-%m-%d %H:%M} UTC.</p>",
            *(_section(table, tables[table.name]) for table in report.tables),
            "</body></html>\n",
        ]
    )


def _section(table: ReportTable, rows: pd.DataFrame) -> str:
    plot = as_svg(table, rows) if table.plot and len(rows) else ""
    left_out = len(rows) - ROWS_SHOWN
    more = f"<p>… and {left_out:,} rows more in the file.</p>" if left_out > 0 else ""
    nothing = "" if len(rows) else "<p>None.</p>"
    link = f'<a href="{escape(table.name, quote=True)}.csv">{escape(table.name)}.csv</a>'
    return (
        f"<h2>{escape(table.title)}</h2><p>{escape(table.description)} {link}</p>"
        f"{plot}{_rows(table, rows.head(ROWS_SHOWN))}{more}{nothing}"
    )


def _rows(table: ReportTable, rows: pd.DataFrame) -> str:
    numeric = {name: all(map(_is_number, rows[name])) for name in table.columns}
    kind = {name: ' class="n"' if numeric[name] else "" for name in table.columns}
    head = "".join(f"<th{kind[name]}>{escape(heading)}</th>" for name, heading in table.columns.items())
    body = "".join(
        "<tr>" + "".join(f"<td{kind[name]}>{_cell(row[name])}</td>" for name in table.columns) + "</tr>"
        for row in rows.to_dict("records")
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    return escape(str(value))
