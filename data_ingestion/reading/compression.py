"""Compression: a drop may come as gzip, which its first bytes tell and its name need not."""

from __future__ import annotations

import gzip
import zlib
from typing import BinaryIO, Protocol, cast

from data_ingestion.reading.faults import ReadError

GZIP_MAGIC = b"\x1f\x8b"


class Source(Protocol):
    """Bytes to be read once, from start to end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size` of them; none only at the end."""


def decompressed(stream: Source) -> Source:
    """The stream's content: unpacked if it is gzip (of one member or many), else as it is."""
    opened = Peeked(stream, len(GZIP_MAGIC))
    return _Gzip(opened) if opened.start == GZIP_MAGIC else opened


class Peeked:
    """A source whose first `size` bytes are known before they are read: `start`, shorter only if the source is."""

    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self.start = b""
        while len(self.start) < size and (more := source.read(size - len(self.start))):
            self.start += more
        self._unread = self.start

    def read(self, size: int, /) -> bytes:
        if not self._unread:
            return self._source.read(size)
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken


class _Gzip:
    """The content of a gzip file; a file that is cut short or damaged is an error, never an early end."""

    def __init__(self, source: Source) -> None:
        self._file = gzip.GzipFile(fileobj=cast(BinaryIO, source), mode="rb")

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ReadError(
                f"the gzip file is damaged or cut short after {self._file.tell():,} bytes of content: {error}\n"
                "  nothing of it was taken; have it sent again"
            ) from error
