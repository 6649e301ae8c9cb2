"""Infer: what a column's texts are, by the very checks that a load makes, and what they leave open. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from data_ingestion.checks.cells import check_cells
from data_ingestion.contract import Column, LogicalType
from data_ingestion.contract.formats import twins
from data_ingestion.contract.terms import NumberFormat
from data_ingestion.excerpts import quote

# Texts that programs write for null.
NULL_WORDS = (
    "NA", "N/A", "n/a", "n.a.", "k.A.", "#N/A", "NULL", "null", "None", "nan", "NaN", "-", "--", "\\N",
)  # fmt: skip
TRUTHS = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("ja", "nein"),
    ("oui", "non"),
    ("si", "no"),
)
DATES = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d-%b-%y", "%d-%b-%Y",
    "%Y%m%d",
)  # fmt: skip
MOMENTS = (
    "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M:%S%z", "%Y-%m-%d %H:%M:%S.%f%z",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M",
    "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p",
)  # fmt: skip
NUMBERS = (
    None,
    NumberFormat(grouping=","),
    NumberFormat(decimal=",", grouping="."),
    NumberFormat(decimal=",", grouping=" "),
    NumberFormat(grouping="'"),
)
CURRENCIES = ("€", "$", "£", "EUR", "USD", "GBP", "CHF")
# Names of columns whose digits are usually a code, not a number.
CODES = re.compile(
    r"(^|_)(id|ids|code|nr|no|num|number|zip|plz|postcode|phone|tel|account|iban|ean|sku|isbn|key)($|_)"
)
PERSONAL = re.compile(
    r"(^|_)(email|e_mail|mail|phone|tel|mobile|first_name|last_name|full_name|surname|street|address|birth|birthday"
    r"|iban|ssn|ip)($|_)"
)
# Names of columns whose eight digits are days.
DAYS = re.compile(r"(^|_)(date|day|datum|am|on)($|_)")
ZONE_QUESTION = "in which time zone are these times (timeZone)? Without one they are in UTC"
# The share of values that may fail a type which is proposed all the same: files have faults.
TOLERATED = 0.005  # as many as a load takes before it asks whether the contract is right


@dataclass(frozen=True)
class ColumnDraft:
    """A column as the contract would have it, with what a person has to decide (`open`) or should know (`notes`)."""

    header: str
    column: Column
    settings: Mapping[str, object] = field(default_factory=dict)
    open: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    nulls: int = 0

    @property
    def is_float(self) -> bool:
        return self.column.physical_type == "double precision"


def name_of(header: str, taken: Sequence[str] = ()) -> str:
    """The name of a column by its header: lower-case letters, digits and underscores, unlike those that are taken."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", header)
    name = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_") or "column"
    name = (name if name[0].isalpha() else f"column_{name}")[:50]
    number, first = 2, name
    while name in taken:
        name, number = f"{first}_{number}", number + 1
    return name


def infer(header: str, texts: Any, name: str) -> ColumnDraft:
    """What a column of a sample is. `texts` is an array of text, null where a cell is empty."""
    values = pc.drop_null(_trimmed(texts))
    found = ColumnDraft(
        header, Column(name, (header,), LogicalType.STRING, "text"), nulls=len(texts) - len(values)
    )
    words = [word for word in NULL_WORDS if pc.any(pc.equal(values, word)).as_py()] if len(values) else []
    without = values.filter(pc.invert(pc.is_in(values, pa.array(words, pa.string())))) if words else values
    if len(without) and (typed := _typed(found, without)) is not None:
        settings = {**typed.settings, **({"nullValues": words} if words else {})}
        refused = check_cells(without, as_read(typed)).refused
        notes = (_strange(without, refused),) if refused else ()
        nulls = found.nulls + len(values) - len(without) + len(refused)
        return replace(typed, settings=settings, notes=notes, nulls=nulls)
    opened = tuple(f"'{word}' occurs in it: does it stand for null (nullValues)?" for word in words)
    notes = () if len(values) else ("every cell of the sample is empty",)
    return replace(found, open=opened, notes=notes)


def _trimmed(texts: Any) -> Any:
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)


def _typed(found: ColumnDraft, values: Any) -> ColumnDraft | None:
    """The narrowest type that takes every value; None where that is text."""
    for guess in (_uuid, _truth, _date, _moment, _number):
        if (draft := guess(found, values)) is not None and _takes(as_read(draft), values):
            return draft
    return None


def as_read(draft: ColumnDraft) -> Column:
    """The column as its contract would have it read."""
    return replace(
        draft.column,
        cleaning=_texts(draft, "cleaning"),
        formats=_texts(draft, "formats"),
        true_values=_texts(draft, "trueValues"),
        false_values=_texts(draft, "falseValues"),
    )


def _texts(draft: ColumnDraft, setting: str) -> tuple[str, ...]:
    value = draft.settings.get(setting, ())
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _takes(column: Column, values: Any) -> bool:
    return len(check_cells(values, column).refused) <= TOLERATED * len(values)


def _strange(values: Any, refused: Mapping[int, object]) -> str:
    shown = ", ".join(dict.fromkeys(quote(values[row].as_py(), 30) for row in list(refused)[:3]))
    return f"{len(refused):,} of {len(values):,} values are something else, and go to quarantine: {shown}"


def _uuid(found: ColumnDraft, values: Any) -> ColumnDraft | None:
    column = replace(found.column, physical_type="uuid")
    return replace(found, column=column) if _takes(column, values) else None


def _truth(found: ColumnDraft, values: Any) -> ColumnDraft | None:
    spoken = set(pc.unique(pc.utf8_lower(values)).to_pylist())
    if len(spoken) > 2:
        return None
    for true, false in TRUTHS:
        if spoken <= {true, false}:
            column = replace(found.column, type=LogicalType.BOOLEAN, physical_type="boolean")
            usual = true in ("true", "yes", "y", "t")
            settings = {} if usual else {"trueValues": [true], "falseValues": [false]}
            return replace(found, column=column, settings=settings)
    return None


def _date(found: ColumnDraft, values: Any) -> ColumnDraft | None:
    column = replace(found.column, type=LogicalType.DATE, physical_type="date")
    chosen = _forms(column, values, DATES)
    if not chosen or (chosen == ["%Y%m%d"] and not DAYS.search(found.column.name)):
        return None
    others = [
        form for form in DATES if form not in chosen and _takes(replace(column, formats=(form,)), values)
    ]
    opened: tuple[str, ...] = ()
    if len(chosen) == 1 and others:
        fitting = " and ".join([*chosen, *others])
        opened = (f"day or month first? No day of the sample is above 12, so {fitting} fit it",)
    settings = {} if chosen == [DATES[0]] else {"formats": chosen}
    return replace(found, column=column, settings=settings, open=opened)


def _moment(found: ColumnDraft, values: Any) -> ColumnDraft | None:
    column = replace(found.column, type=LogicalType.TIMESTAMP, physical_type="timestamptz")
    chosen = _forms(column, values, MOMENTS)
    if not chosen:
        return None
    settings: dict[str, object] = {} if set(chosen) <= set(MOMENTS[:2]) else {"formats": chosen}
    opened: tuple[str, ...] = ()
    if not all("%z" in form for form in chosen):
        opened = (ZONE_QUESTION,)
    return replace(found, column=column, settings=settings, open=opened)


def _forms(column: Column, values: Any, known: Sequence[str]) -> list[str]:
    """The fewest forms that together read the values, greedily; empty if some values match none."""
    left, chosen = pc.unique(values), list[str]()
    total = len(left)
    while len(left) > TOLERATED * total:
        refused = {
            form: check_cells(left, replace(column, formats=(form,))).refused
            for form in known
            if form not in chosen
        }
        form = min(refused, key=lambda one: len(refused[one]), default="")
        if not form or len(refused[form]) == len(left) or _twins(form, chosen):
            return []
        chosen.append(form)
        left = left.take(pa.array(sorted(refused[form]), pa.int64()))
    return chosen


def _twins(form: str, chosen: Sequence[str]) -> bool:
    """Whether a form reads texts that another one reads as other days: together, a contract may not have them."""
    return any(True for _ in twins((*chosen, form)))


def _number(found: ColumnDraft, values: Any) -> ColumnDraft | None:
    """The first way of writing numbers that reads most of the values."""
    if pc.any(pc.match_substring_regex(values, r"^[+-]?0[0-9]+$")).as_py():
        return None  # 00123 is a code
    best, left = None, int(TOLERATED * len(values)) + 1
    for guess in _numbers(found, values):
        refused = len(check_cells(values, as_read(guess)).refused)
        if refused < left:
            best, left = guess, refused
        if not left:
            break
    return best if best is None or best.column.scale is None else _as_written(best, values)


def without_floats(draft: ColumnDraft, texts: Any) -> ColumnDraft:
    """The same column so that equal rows can be recognised by it: decimals, or text, for floating point."""
    values = pc.drop_null(_trimmed(texts))
    form = NumberFormat(exponent=True)
    column = replace(draft.column, physical_type="numeric(38,20)", precision=38, scale=20, number_format=form)
    if _takes(column, values):
        return replace(draft, column=column, settings={**draft.settings, **_number_settings(form, values)})
    return replace(draft, column=replace(draft.column, type=LogicalType.STRING, physical_type="text"))


def _numbers(found: ColumnDraft, values: Any) -> Iterator[ColumnDraft]:
    whole = replace(found.column, type=LogicalType.INTEGER, physical_type="bigint")
    is_code = CODES.search(found.column.name)
    opened = ("a number, or a code in digits? A code is better kept as text (logicalType: string)",)
    yield replace(found, column=whole, open=opened if is_code else ())
    if pc.all(pc.match_substring_regex(values, r"^[+-]?[0-9]+\.0+$")).as_py():
        # a program took them for floats
        yield replace(found, column=whole, settings={"cleaning": ["strip_decimal_zero"]})
    column = replace(found.column, type=LogicalType.NUMBER, physical_type="numeric(38,10)")
    for form in _number_formats():
        yield replace(found, column=replace(column, precision=38, scale=10, number_format=form))
    yield replace(found, column=replace(column, physical_type="double precision"))


def _as_written(draft: ColumnDraft, values: Any) -> ColumnDraft:
    """A number with as much room as the values need, and what of its format they use."""
    column, form = draft.column, draft.column.number_format
    checked = check_cells(values, column)
    digits, decimals = _size(checked.without_refused(checked.values))
    has_mark = form is None or pc.any(pc.match_substring(values, form.decimal)).as_py()
    settings = _number_settings(form, values)
    if not has_mark and not decimals:  # 1.234 as 1234, all of them whole
        whole = replace(column, type=LogicalType.INTEGER, physical_type="bigint", precision=None, scale=None)
        return replace(draft, column=whole, settings=settings)
    scale = max(2, decimals)
    precision = min(38, max(18, digits + scale))
    sized = replace(column, physical_type=f"numeric({precision},{scale})", precision=precision, scale=scale)
    return replace(draft, column=sized, settings=settings)


def _number_formats() -> Iterator[NumberFormat | None]:
    yield from NUMBERS
    yield NumberFormat(exponent=True)
    for form in NUMBERS:
        negative = ("trailing_minus", "parentheses")
        yield replace(form or NumberFormat(), negative=negative, currency=CURRENCIES, percent="keep")


def _number_settings(form: NumberFormat | None, values: Any) -> dict[str, object]:
    """What of a number format these values need."""
    if form is None:
        return {}
    text = "\n".join(values.to_pylist())
    said: dict[str, object] = {}
    if form.decimal != ".":
        said["decimal"] = form.decimal
    if form.grouping and (
        form.grouping in text or (form.grouping == " " and re.search(r"\d[\u00a0\u202f ]\d", text))
    ):
        said["grouping"] = form.grouping
    ways = {"trailing_minus": r"-$", "parentheses": r"^\("}
    if negative := [way for way in form.negative if re.search(ways[way], text, re.MULTILINE)]:
        said["negative"] = negative
    if currency := [sign for sign in form.currency if sign in text]:
        said["currency"] = currency
    if form.percent and "%" in text:
        said["percent"] = form.percent
    if form.exponent:
        said["exponent"] = True
    return {"numberFormat": said} if said else {}


def _size(numbers: Any) -> tuple[int, int]:
    """Most digits before the point, and most decimals that are not zeros at the end."""
    digits = decimals = 0
    for number in pc.unique(numbers).to_pylist():
        if number is not None:
            _, shown, exponent = number.normalize().as_tuple()
            decimals = max(decimals, -int(exponent))
            digits = max(digits, len(shown) + int(exponent))
    return digits, decimals
