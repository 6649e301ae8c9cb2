"""Checked rows: a drop's bytes read and checked against its contract, the bad rows kept aside."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import nullcontext
from typing import BinaryIO

from data_ingestion import reading
from data_ingestion.checks.rows import CheckedChunk, RowChecks
from data_ingestion.contract import Contract
from data_ingestion.errors import DropFault
from data_ingestion.quarantine import BadRows


def read_checked(
    stream: BinaryIO, contract: Contract, key: str, bad: BadRows, *, ahead: bool = False
) -> Generator[CheckedChunk, None, None]:
    """The rows of a drop as its contract types them; those that it refuses go to `bad`.

    With `ahead`, a thread reads while the caller works. Raises `DropFault` for a file that is not one of the
    contract's, or can't be read to its end.
    """
    try:
        reader = reading.with_path_values(reading.open_reader(stream, contract, key), contract, key)
        checks = RowChecks(contract, reader.header, key, reader.look)
        with reading.read_ahead(reader) if ahead else nullcontext(reader) as chunks:
            for chunk in chunks:
                checked = checks.check(chunk)
                bad.add(checked.bad)
                yield checked
        bad.remark = reader.remark()
    except reading.ReadError as error:  # the reader does not know what it reads
        raise DropFault(f"{key}: {error}") from error
