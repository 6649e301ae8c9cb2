"""Page: the profiles of a domain as one HTML page that needs nothing else, neither script nor network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

from data_ingestion.profiles.facts import ColumnProfile, Profile

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1d2733; }
h1 { font-size: 1.6rem; margin-bottom: .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #d9a21b; padding-bottom: .2rem; }
p { margin: .3rem 0; color: #4a5766; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #e3e8ee; }
th { font-weight: 600; color: #4a5766; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.v { overflow-wrap: anywhere; max-width: 22rem; }
summary { cursor: pointer; padding: .35rem 0; font-weight: 600; }
.masked { color: #8a5a00; font-style: italic; }
.count { color: #4a5766; }
details > p { scroll-margin-top: 3rem; }
a { color: #1f5fa8; }
"""
HIDDEN = "not marked public"


def page(domain: str, profiles: Sequence[Profile]) -> str:
    """The page of a domain: a table of its relations, then one of columns for each."""
    moments = [profile.profiled_at for profile in profiles if profile.profiled_at]
    at = f"Profiled up to {max(moments):%Y-%m-%d %H:%M} UTC. " if moments else ""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(domain)}: profiles of its tables</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(domain)}: profiles of its tables</h1>",
            f"<p>{at}Columns not marked public in a contract or model show only counts: <i>masked</i>.</p>",
            _contents(profiles),
            *(
                f"<h2>{escape(layer)}</h2>" + "\n".join(map(_relation, group))
                for layer, group in groupby(profiles, key=lambda profile: profile.relation.layer)
            ),
            "</body></html>\n",
        ]
    )


def _contents(profiles: Sequence[Profile]) -> str:
    if not profiles:
        return "<p>Nothing was profiled yet.</p>"
    rows = [
        f'<tr><td><a href="#{_anchor(profile)}">{escape(profile.relation.qualified_name)}</a></td>'
        f'<td class="n">{profile.rows:,}</td><td class="n">{len(profile.columns)}</td>'
        f'<td class="n">{profile.masked}</td><td class="n">{_moment(profile)}</td></tr>'
        for profile in profiles
    ]
    head = "".join(f'<th class="n">{name}</th>' for name in ("rows", "columns", "masked", "profiled (UTC)"))
    return f"<table><thead><tr><th>relation</th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _relation(profile: Profile) -> str:
    sample = (
        f" Distinct and most frequent values are those of a random sample of {profile.sampled:,} rows."
        if profile.sampled is not None
        else ""
    )
    head = (
        '<th>column</th><th>type</th><th class="n">nulls</th><th class="n">distinct</th>'
        "<th>least</th><th>greatest</th><th>most frequent</th>"
    )
    body = "".join(_column(column, profile.rows) for column in profile.columns)
    return (
        f'<details><summary>{escape(profile.relation.qualified_name)} <span class="count">{profile.rows:,} rows,'
        f" {len(profile.columns)} columns</span></summary>"
        # Inside, not on `details`: a browser opens what a link leads into, without a script.
        f'<p id="{_anchor(profile)}">{profile.rows:,} rows.{sample}</p>'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details>"
    )


def _column(column: ColumnProfile, rows: int) -> str:
    share = f" ({column.nulls / rows:.0%})" if rows and column.nulls else ""
    counts = (
        f'<td>{escape(column.name)}</td><td class="count">{escape(column.type)}</td>'
        f'<td class="n">{column.nulls:,}{share}</td><td class="n">{column.distinct_values:,}</td>'
    )
    if column.is_masked:
        return f'<tr>{counts}<td colspan="3" class="masked">masked: {escape(column.classification or HIDDEN)}</td></tr>'
    top = "<br>".join(
        f'{escape(value)} <span class="count">× {count:,}</span>' for value, count in column.top_values
    )
    least, greatest = (
        f'<td class="v">{"" if value is None else escape(value)}</td>'
        for value in (column.minimum, column.maximum)
    )
    return f'<tr>{counts}{least}{greatest}<td class="v">{top}</td></tr>'


def _anchor(profile: Profile) -> str:
    return escape(profile.relation.qualified_name, quote=True)


def _moment(profile: Profile) -> str:
    return f"{profile.profiled_at:%Y-%m-%d %H:%M}" if profile.profiled_at else ""
