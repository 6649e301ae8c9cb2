import re
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.reports.definition import Plot, ReportTable
from data_ingestion.reports.plots import MOST_BARS, as_svg, distinct

COLUMNS = {"product": "Product", "number": "Number", "status": "Status", "items": "Items"}
BAR = re.compile(r'<g id="patch_\d+">\s*<path d="[^"]*"\s+clip-path[^>]*style="fill: (#\w+)')
LONG = "A name of twenty-seven lette"  # as many characters as a label shows


def drawn(rows: list[tuple[object, ...]], plot: Plot | None = None) -> str:
    plot = plot or Plot("product", "items", key="number")
    table = ReportTable("products", "Products", "mart", COLUMNS, ("number",), plot=plot)
    return as_svg(table, pd.DataFrame(rows, columns=list(COLUMNS), dtype=object))


def test_products_of_one_name_are_a_bar_each_with_their_numbers() -> None:
    svg = drawn([("Glass", 7, "NEW", 2), ("Glass", 9, "NEW", 3), ("Cup", 1, "NEW", 4)])
    assert len(BAR.findall(svg)) == 3
    assert ">Glass (7)<" in svg and ">Glass (9)<" in svg and ">Cup<" in svg


def test_names_that_differ_only_where_a_label_ends_are_a_bar_each() -> None:
    svg = drawn([(f"{LONG}, red", 7, "NEW", 2), (f"{LONG}, blue", 9, "NEW", 3)])
    assert len(BAR.findall(svg)) == 2
    assert "… (7)<" in svg and "… (9)<" in svg


def test_without_a_key_bars_of_one_label_are_numbered() -> None:
    svg = drawn([("Glass", 7, "NEW", 2), ("Glass", 9, "NEW", 3)], Plot("product", "items"))
    assert len(BAR.findall(svg)) == 2
    assert ">Glass (1)<" in svg and ">Glass (2)<" in svg


def test_stacked_rows_stand_on_the_bar_of_their_own_product() -> None:
    rows = [("Glass", 7, "NEW", 2), ("Glass", 9, "NEW", 3), ("Glass", 7, "OPEN", Decimal("1.5"))]
    svg = drawn(rows, Plot("product", "items", by="status", key="number"))
    assert len(BAR.findall(svg)) == 4  # two bars, of two statuses each
    assert ">Glass (7)<" in svg and ">Glass (9)<" in svg


def test_of_more_bars_than_can_be_told_apart_the_first_are_drawn_and_it_is_said_of_how_many() -> None:
    rows = [(f"Glass {n:04}", n, status, 2) for n in range(1200) for status in ("NEW", "OPEN")]
    svg = drawn(rows, Plot("product", "items", by="status", key="number"))
    assert len(BAR.findall(svg)) == 2 * MOST_BARS
    assert ">the first 60 of 1,200<" in svg
    assert ">Glass 0059<" in svg and ">Glass 0060<" not in svg
    assert "the first" not in drawn(rows[:20])


def test_a_status_that_nobody_gave_is_drawn_too() -> None:
    svg = drawn([("Glass", 7, None, 2), ("Cup", 8, "_new", 1)], Plot("product", "items", by="status"))
    assert ">(none)<" in svg and ">_new<" in svg


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Mug $5 or $x^{$", "Mug $5 or $x^{$"),
        ("$\\frac{1}$", "$\\frac{1}$"),
        ("costs $", "costs $"),
        ("\\alpha_1^2 #%&~", "\\alpha_1^2 #%&amp;~"),
        ("_hidden", "_hidden"),
        ("two\nlines", "two lines"),
        ("كأس زجاج", "كأس زجاج"),
        ("☕ 👩‍🍳", "☕ 👩‍🍳"),
        ("漢字", "漢字"),
        ("", ">(none)<"),
        ("x" * 5000, "x" * 27 + "…"),
    ],
)
@pytest.mark.filterwarnings("ignore:Glyph .* missing:UserWarning", "ignore:Matplotlib currently:UserWarning")
def test_a_name_is_drawn_as_it_is_whatever_its_characters(name: str, told: str) -> None:
    rows = [(name, 7, name, 2), ("Cup", 8, "NEW", 1)]
    assert told in drawn(rows)
    legend = drawn(rows, Plot("number", "items", by="status"))
    assert told in legend


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "A (1)", "A (2)", "A (1) (1)", LONG * 2]), st.sampled_from("12"))
    )
)
def test_no_two_labels_are_alike(rows: list[tuple[str, str]]) -> None:
    labels = distinct([name for name, _ in rows], [key for _, key in rows])
    assert len(set(labels)) == len(rows)
