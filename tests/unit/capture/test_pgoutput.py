"""Pgoutput: bytes to facts, for every kind of message, and nothing guessed."""

import struct
from datetime import UTC, datetime

import pytest

from data_ingestion.capture.pgoutput import (
    Absent,
    Begin,
    Column,
    Commit,
    ProtocolError,
    Relation,
    RowChange,
    Truncation,
    read_message,
)


def cells(*values: str | Absent | None) -> bytes:
    told = b""
    for value in values:
        if value is None:
            told += b"n"
        elif value is Absent.UNCHANGED:
            told += b"u"
        else:
            told += b"t" + struct.pack(">I", len(value.encode())) + value.encode()
    return struct.pack(">H", len(values)) + told


def test_a_transaction_tells_where_and_when_it_committed() -> None:
    microseconds = (9 * 365 + 3) * 86_400_000_000 + 1
    begin = b"B" + struct.pack(">QQI", 0x16B374D848, microseconds, 757)
    assert read_message(begin) == Begin(0x16B374D848, datetime(2009, 1, 1, 0, 0, 0, 1, UTC), 757)
    commit = b"C" + struct.pack(">BQQQ", 0, 0x16B374D848, 0x16B374D878, microseconds)
    assert read_message(commit) == Commit(0x16B374D848, 0x16B374D878)


def test_a_relation_names_its_columns_and_those_of_its_key() -> None:
    columns = (
        b"\x01id\0" + struct.pack(">Ii", 23, -1) + b"\x00preis_\xc3\xa4\0" + struct.pack(">Ii", 1700, 655366)
    )
    data = b"R" + struct.pack(">I", 16384) + b"public\0orders\0f" + struct.pack(">H", 2) + columns
    expected = Relation(16384, "public", "orders", (Column("id", 23, True), Column("preis_ä", 1700, False)))
    assert read_message(data) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"I" + struct.pack(">I", 7) + b"N" + cells("1", None), RowChange("c", 7, None, ("1", None))),
        (b"U" + struct.pack(">I", 7) + b"N" + cells("1", ""), RowChange("u", 7, None, ("1", ""))),
        (
            b"U" + struct.pack(">I", 7) + b"O" + cells("1", "ä") + b"N" + cells("1", Absent.UNCHANGED),
            RowChange("u", 7, ("1", "ä"), ("1", Absent.UNCHANGED)),
        ),
        (
            b"U" + struct.pack(">I", 7) + b"K" + cells("1", None) + b"N" + cells("2", "b"),
            RowChange("u", 7, ("1", None), ("2", "b"), is_key_only=True),
        ),
        (b"D" + struct.pack(">I", 7) + b"O" + cells("1", "b"), RowChange("d", 7, ("1", "b"), None)),
        (b"T" + struct.pack(">IBII", 2, 0, 7, 8), Truncation((7, 8))),
        (b"Y" + b"anything", None),
    ],
)
def test_a_change_tells_what_was_and_what_is(data: bytes, expected: object) -> None:
    assert read_message(data) == expected


@pytest.mark.parametrize(
    "data",
    [b"", b"Z", b"B\0", b"R" + struct.pack(">I", 1) + b"no end", b"I" + struct.pack(">I", 7) + b"N\0\1x"],
)
def test_what_is_no_message_is_no_guess(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_message(data)
