"""Warehouses: which of them a contract must fit, and what of it does not fit, by the limits that their makers document.

Without the setting a contract fits Postgres, DuckDB and DuckLake, whose limits hold for every contract. A text that is
too long for one of those named is a fault of its row everywhere: raw does not depend on the warehouse it is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_ingestion.contract.document import Document, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.file_formats import CsvFormat, JsonFormat, JsonLinesFormat
from data_ingestion.contract.settings import Given
from data_ingestion.contract.terms import Column, Source

# Of one text. https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html,
# https://docs.snowflake.com/en/sql-reference/data-types-text (a VARCHAR without a length)
TEXT_BYTES = {"redshift": 65_535, "snowflake": 16 << 20}
# Columns that the loader adds to a raw table and its history.
OWN_COLUMNS = 7


@dataclass(frozen=True)
class Limits:
    """The most that a warehouse takes; None for what no contract comes near."""

    text_bytes: int | None = None
    row_bytes: int | None = None
    columns: int | None = None


LIMITS = {
    # https://www.postgresql.org/docs/current/limits.html
    "postgres": Limits(columns=1600),
    "duckdb": Limits(),
    "ducklake": Limits(),
    # https://docs.aws.amazon.com/redshift/latest/dg/t_Loading_tables_with_the_COPY_command.html (a row),
    # https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_usage.html (columns)
    "redshift": Limits(TEXT_BYTES["redshift"], row_bytes=4 << 20, columns=1600),
    "snowflake": Limits(TEXT_BYTES["snowflake"]),
}


def read_warehouses(document: Document, given: Given | None) -> tuple[str, ...]:
    """The warehouses that the contract names, in the order of `LIMITS`."""
    if given is None or not isinstance(given.value, list):
        return ()
    for index, name in enumerate(given.value):
        if name not in LIMITS:
            fault = f"'{name}' is not a warehouse"
            document.add(inside(given.place, index), fault, choices(str(name), tuple(LIMITS)), "warehouses")
    return tuple(name for name in LIMITS if name in given.value)


def most_text_bytes(warehouses: Sequence[str]) -> int | None:
    """The longest text that all of them take."""
    return min((limit for name in warehouses if (limit := LIMITS[name].text_bytes)), default=None)


def check_warehouses(
    document: Document,
    given: Given | None,
    warehouses: Sequence[str],
    columns: Sequence[Column],
    sources: Sequence[Source],
) -> None:
    """Adds a fault for each thing of the contract that one of its warehouses can't hold."""
    if given is None:
        return
    for name in warehouses:
        limits = LIMITS[name]
        for fault, remedy in (
            *_faults_of_rows(name, limits, sources),
            *_faults_of_columns(name, limits, columns),
        ):
            document.add(given.place, fault, remedy, "warehouses")


def _faults_of_rows(name: str, limits: Limits, sources: Sequence[Source]) -> list[tuple[str, str]]:
    most = max(
        (
            one.format.max_record_bytes
            for one in sources
            if isinstance(one.format, CsvFormat | JsonFormat | JsonLinesFormat)
        ),
        default=0,
    )
    if limits.row_bytes is None or most <= limits.row_bytes:
        return []
    fault = f"{name} takes rows of {limits.row_bytes:,} bytes, 'maxRecordBytes' allows {most:,}"
    return [(fault, f"lower it to {limits.row_bytes}, and longer records go to quarantine")]


def _faults_of_columns(name: str, limits: Limits, columns: Sequence[Column]) -> list[tuple[str, str]]:
    found = []
    count = len(columns) + sum(column.keep_text for column in columns) + OWN_COLUMNS
    if limits.columns and count > limits.columns:
        fault = (
            f"{name} holds {limits.columns:,} columns in a table, with the loader's own these are {count:,}"
        )
        found.append((fault, "leave out columns, or write several contracts"))
    for column in columns:
        if limits.text_bytes and (column.min_length or 0) > limits.text_bytes:
            fault = (
                f"{column.name}: {name} takes texts of {limits.text_bytes:,} bytes, "
                f"'minLength' asks for {column.min_length:,} characters"
            )
            found.append((fault, "no row could come in; leave the warehouse out"))
    return found
