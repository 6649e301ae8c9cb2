"""Spool: a drop put on disk while it is read, for formats that are read from their end."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, cast

from data_ingestion.errors import OperatorFault
from data_ingestion.reading.compression import Source
from data_ingestion.reading.faults import ReadError

_STEP = 1 << 20


def spooled(source: Source, limit: int | None = None, remedy: str = "") -> BinaryIO:
    """The source's bytes as a file that can be sought in. It has no name, so even a killed load leaves nothing behind.

    Raises ReadError for more bytes than `limit`, telling the `remedy`.
    """
    file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as its reader
    size = 0
    while data := source.read(_STEP):
        size += len(data)
        if limit is not None and size > limit:
            raise ReadError(f"the file has more than {limit:,} bytes\n  {remedy}")
        try:
            file.write(data)
        except OSError as error:
            raise OperatorFault(
                f"{tempfile.gettempdir()}: the drop can't be stored temporarily here: {error.strerror}\n"
                "  make room, or set TMPDIR to a folder that has it"
            ) from error
    file.seek(0)
    return cast(BinaryIO, file)
