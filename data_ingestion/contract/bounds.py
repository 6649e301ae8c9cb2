"""Bounds: the smallest and the greatest value of a column, in the type of the column."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Context, Decimal
from typing import TypeVar

from data_ingestion.contract.document import Value
from data_ingestion.contract.terms import Bound, LogicalType

INTEGER_BITS = {"bigint": 63, "integer": 31, "smallint": 15}

Moment = TypeVar("Moment", bound=date)


def read_bound(value: Value, type_: LogicalType, physical_type: str) -> tuple[Bound | None, str]:
    """A limit as a value that the column itself could hold, or None; and what a sound one is."""
    match type_:
        case LogicalType.INTEGER:
            bits = INTEGER_BITS.get(physical_type, 63)
            sound = isinstance(value, int) and -(2**bits) <= value < 2**bits
            return (
                value if sound and isinstance(value, int) else None
            ), f"a whole number within {physical_type}"
        case LogicalType.NUMBER if size := re.fullmatch(r"numeric\((\d+),(\d+)\)", physical_type):
            whole, scale = int(size[1]) - int(size[2]), int(size[2])
            sound = isinstance(value, int | Decimal) and _holds(whole, scale, Decimal(value))
            wanted = f"a number of at most {whole} digits and {scale} decimals"
            return (Decimal(value) if sound and isinstance(value, int | Decimal) else None), wanted
        case LogicalType.NUMBER:
            number = float(value) if isinstance(value, int | Decimal) else math.inf
            return (number if math.isfinite(number) else None), "a number"
        case LogicalType.DATE:
            return _parsed(date.fromisoformat, value), "an ISO date"
    instant = _parsed(datetime.fromisoformat, value)
    return (instant if instant and instant.tzinfo else None), "an ISO time with its offset"


def faults_of_expression(text: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a regular expression: only what the engines of all warehouses read alike is welcome."""
    try:
        re.compile(text)
    except re.error as error:
        yield (
            f"'{text}' is not a regular expression: {error}",
            "correct it; backslashes are safe in single quotes",
        )
        return
    if re.search(r"\\[1-9]", text.replace("\\\\", "")):
        yield f"'{text}' refers back to a group", "write it without back references"
    bare = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "", text, flags=re.DOTALL)
    if re.search(r"\(\?(?!:)", bare):
        yield f"'{text}' looks around or names a group", "use plain groups '(…)' or '(?:…)' only"


def limit_that_refuses(value: str, options: dict[str, Value]) -> str | None:
    """The name of a column's limit that an accepted value breaks."""
    least, most, pattern = (options.get(name) for name in ("minLength", "maxLength", "pattern"))
    if isinstance(least, int) and len(value) < least:
        return "minLength"
    if isinstance(most, int) and len(value) > most:
        return "maxLength"
    if isinstance(pattern, str) and not re.fullmatch(pattern, value):
        return "pattern"
    return None


def _parsed(parse: Callable[[str], Moment], value: Value) -> Moment | None:
    try:
        return parse(str(value))
    except ValueError:
        return None


def _holds(whole: int, scale: int, value: Decimal) -> bool:
    """Whether a number of so many digits before and behind the point can be this one, exactly."""
    exact = value.normalize(Context(prec=200))
    return not exact or (int(exact.as_tuple().exponent) >= -scale and exact.adjusted() < whole)
