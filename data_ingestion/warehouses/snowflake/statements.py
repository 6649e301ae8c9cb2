"""Statements as Snowflake's driver takes them, what it answers, and who must act on what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime

from snowflake.connector import errors

from data_ingestion.engine.session import Row
from data_ingestion.errors import OperatorFault, TransactionConflict, WarehouseLost
from data_ingestion.excerpts import shorten
from data_ingestion.warehouses.snowflake.dialect import as_text

MOST_OF_AN_ANSWER = 500
# Quoted names and texts stay as they are; `rows`, a column of the ledger's, is reserved.
LIMIT = re.compile(r"\b(limit|offset) (?:cast\()?\$([a-z_]+)(?: as bigint\))?")
TOKENS = re.compile(r""""[^"]*"|'[^']*'|\$([a-z_][a-z_0-9]*)|\b(rows)\b(?! between)""")
# A lock that others hold, too many that wait for it, a wait that was cut off: where the message speaks of a lock.
CONFLICTS = {625, 604, 606}
LOCKS = re.compile(r"\block|deadlock", re.IGNORECASE)
REPEATABLE = {
    r"^(\s*create (?:table|schema)) (?!if )": r"\1 if not exists ",
    r"^(\s*create) view ": r"\1 or replace view ",
    r"^(\s*alter table \S+ add column) (?!if )": r"\1 if not exists ",
    r"^(\s*insert into (\S+)) (values[\s\S]*)": r"\1 select * from \3 where not exists (select 1 from \2)",
}
# Insufficient privileges; no warehouse selected; a warehouse that can't be resumed.
REMEDIES = {
    3001: "grant it to the role: docs/guides/snowflake.md#roles",
    606: "name a warehouse in the URL, ?warehouse=…, that the role may use",
    2043: "name what is there, or grant it to the role: docs/guides/snowflake.md#roles",
}


def translated(statement: str, values: Mapping[str, object]) -> tuple[str, list[object]]:
    """A statement with a mark for each parameter, and their values in that order."""
    bound: list[object] = []
    # How many rows are wanted has to stand there as a number, and none are left out without saying how many.
    statement = LIMIT.sub(
        lambda found: (
            f"{'limit null ' if found[1] == 'offset' else ''}{found[1]} {int(str(values[found[2]]))}"
        ),
        statement,
    )

    def replace(found: re.Match[str]) -> str:
        if found[2]:
            return '"ROWS"'
        if not found[1]:
            return found[0]
        mark, value = _marked(values[found[1]])
        bound.append(value)
        return mark

    return TOKENS.sub(replace, statement), bound


def repeatable(statement: str) -> str:
    """A statement that commits by itself, so that one more run of it changes nothing."""
    for made, once in REPEATABLE.items():
        statement = re.sub(made, once, statement, count=1, flags=re.IGNORECASE)
    return statement


def _marked(value: object) -> tuple[str, object]:
    """A parameter's mark, and its value as one that the driver binds without a guess."""
    if isinstance(value, bytes | bytearray):
        return "to_binary(?, 'HEX')", as_text(value)
    if isinstance(value, datetime):
        return "cast(? as timestamp_tz)", as_text(value)
    if isinstance(value, date):
        return "cast(? as date)", as_text(value)
    if isinstance(value, float):
        return "cast(? as double precision)", as_text(value)
    if isinstance(value, list):
        return "?", json.dumps(value)
    return "?", value


def changed_rows(names: Sequence[str], rows: Sequence[Row]) -> int | None:
    """How many rows a statement says that it has changed; None where it returns rows."""
    if names and names[0].lower().startswith("number of rows") and len(rows) == 1:
        return int(rows[0][0])
    return None


@contextmanager
def faults() -> Iterator[None]:
    """Raises what only the account's operator, or another moment, can mend as such."""
    try:
        yield
    except errors.ProgrammingError as error:
        message = f"warehouse: {shorten(str(error), MOST_OF_AN_ANSWER)}"
        if error.errno in CONFLICTS and LOCKS.search(str(error)):
            raise TransactionConflict(f"{message}\n  nothing was committed; run again") from error
        if remedy := REMEDIES.get(error.errno):
            raise OperatorFault(f"{message}\n  {remedy}") from error
        raise
    except (errors.ForbiddenError, errors.HttpError, errors.DatabaseError) as error:
        message = f"warehouse: {shorten(str(error), MOST_OF_AN_ANSWER)}"
        if isinstance(error, errors.OperationalError | errors.InterfaceError | errors.InternalError):
            raise WarehouseLost(f"{message}\n  run again: what was under way is undone") from error
        raise OperatorFault(f"{message}\n  see that the account, the user and the key are right") from error
