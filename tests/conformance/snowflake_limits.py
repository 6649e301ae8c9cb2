"""Limits of Snowflake that its stand-in does not have: what its documentation says, held against each statement.

Sources are pages of docs.snowflake.com, read in 2026.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlglot
from sqlglot import exp

SOURCES = {
    "a limit is a number": "sql-reference/constructs/limit",
    "a query within an expression is of one row for sure": "user-guide/querying-subqueries, Usage Notes",
    "a join's condition holds no query": "user-guide/querying-subqueries, Types Supported",
    "a row's number has an order": "sql-reference/functions/row_number",
    "moments are not subtracted": "sql-reference/functions/datediff",
    "a reserved word is quoted": "sql-reference/reserved-keywords",
    "a name has at most 255 characters": "sql-reference/identifiers-syntax",
    "a statement has at most 1 MB": "user-guide/query-size-limits",
    "DDL commits the transaction": "sql-reference/transactions, DDL",
    "a writer's first statement is the lock": "sql-reference/transactions, Resource locking",
    "COPY names up to 1000 files, and forces them": "sql-reference/sql/copy-into-table",
}
MOST_CHARACTERS, MOST_BYTES, MOST_FILES = 255, 1 << 20, 1000
# Of those that are no part of SQL's own grammar, the names that a ledger or a contract could have.
RESERVED = frozenset(
    re.findall(
        r"\w+",
        "account all any between by case cast check column connect connection constraint "
        "cross current database default delete distinct drop else exists following for full "
        "grant group gscluster having ilike in increment inner insert intersect into is "
        "issue join lateral left like minus natural not null of on or "
        "order organization qualify regexp revoke right rlike row rows sample schema set "
        "some start table tablesample then trigger union unique update using values view "
        "when whenever where with ",
    )
)
DDL = re.compile(r"\s*(create|alter|drop|truncate|grant|put|use|comment)\b", re.IGNORECASE)
# What sqlglot takes as it is.
UNREAD = re.compile(r"\s*(put|use|begin|commit|rollback|alter session)\b", re.IGNORECASE)


def broken_limits(statements: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Limits that statements, in the order in which they were sent, break: the limit and the statement."""
    yield from _out_of_order(statements)
    for statement in dict.fromkeys(statements):
        if len(statement.encode()) > MOST_BYTES:
            yield "a statement has at most 1 MB", statement
        if UNREAD.match(statement):
            continue
        parsed = sqlglot.parse_one(statement, read="snowflake")
        if isinstance(parsed, exp.Command):
            yield "sqlglot reads it", statement
        for limit in _broken(parsed):
            yield limit, statement


def _out_of_order(statements: Sequence[str]) -> Iterator[tuple[str, str]]:
    is_open, before = False, ""
    for statement in statements:
        if before == "begin" and not statement.startswith("update ops.writer"):
            yield "a writer's first statement is the lock", statement
        is_open = (is_open or statement == "begin") and statement not in ("commit", "rollback")
        if is_open and DDL.match(statement):
            yield "DDL commits the transaction", statement
        before = statement


def _is_counted_by_something(limit: exp.Limit | exp.Offset) -> bool:
    return not isinstance(limit.expression, exp.Literal | exp.Null)


def _is_of_any_rows(query: exp.Subquery) -> bool:
    return _is_within_an_expression(query) and not _is_of_one_row(query.this)


def _asks_in_its_condition(join: exp.Join) -> bool:
    return bool((condition := join.args.get("on")) and condition.find(exp.Select))


def _has_no_order(window: exp.Window) -> bool:
    return isinstance(window.this, exp.RowNumber) and not window.args.get("order")


def _is_reserved(name: exp.Identifier) -> bool:
    return not name.quoted and name.name.lower() in RESERVED


def _leaves_something_open(copy: exp.Copy) -> bool:
    options = {str(option.this).upper(): option for option in copy.args["params"]}
    files = options.get("FILES")
    count = len(files.expressions or [files.expression]) if files else 0
    return not (0 < count <= MOST_FILES and {"FORCE", "ON_ERROR"} <= set(options))


# By the kind of an expression: whether one breaks a limit, and which.
RULES: tuple[tuple[tuple[type[exp.Expression], ...], Callable[[Any], bool], str], ...] = (
    ((exp.Limit, exp.Offset), _is_counted_by_something, "a limit is a number"),
    ((exp.Subquery,), _is_of_any_rows, "a query within an expression is of one row for sure"),
    ((exp.Join,), _asks_in_its_condition, "a join's condition holds no query"),
    ((exp.Window,), _has_no_order, "a row's number has an order"),
    ((exp.Extract,), lambda part: part.find(exp.Sub) is not None, "moments are not subtracted"),
    ((exp.Identifier,), _is_reserved, "a reserved word is quoted"),
    ((exp.Identifier,), lambda name: len(name.name) > MOST_CHARACTERS, "a name has at most 255 characters"),
    ((exp.Copy,), _leaves_something_open, "COPY names up to 1000 files, and forces them"),
)


def _broken(parsed: exp.Expression) -> Iterator[str]:
    for kinds, breaks, limit in RULES:
        if any(breaks(found) for found in parsed.find_all(*kinds)):
            yield limit


def _is_within_an_expression(query: exp.Subquery) -> bool:
    """Whether a query stands for a value, and is not a table or a set."""
    tables = exp.From | exp.Join | exp.Delete | exp.Union | exp.Insert | exp.CTE
    return not isinstance(query.parent, tables | exp.In | exp.Exists | exp.Subquery)


def _is_of_one_row(query: exp.Expression) -> bool:
    """An aggregate without groups is of one row, and a query that asks for nothing of the one around it may be any."""
    if not isinstance(query, exp.Select):
        return True
    is_aggregate = any(one.find(exp.AggFunc) for one in query.expressions) and not query.args.get("group")
    inner = {table.alias_or_name for table in query.find_all(exp.Table)}
    is_alone = all(column.table in ("", *inner) for column in query.find_all(exp.Column))
    return is_aggregate or is_alone
