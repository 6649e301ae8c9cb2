"""Compression: a drop may be gzip, zstd or in a zip archive, which its first bytes show and its name need not."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from typing import BinaryIO, Protocol, cast

from data_ingestion.excerpts import quote_names
from data_ingestion.reading.faults import ReadError

GZIP_MAGIC, ZSTD_MAGIC, ZIP_MAGIC = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"
# Files and folders in archives that are documents: of Microsoft and of OpenDocument.
_DOCUMENT_FILES, _DOCUMENT_FOLDERS = {"[Content_Types].xml", "mimetype"}, ("xl/", "word/", "ppt/")
# What macOS adds to an archive.
_ADDED = "__MACOSX/"


class Source(Protocol):
    """Bytes to be read once, from start to end."""

    def read(self, size: int, /) -> bytes:
        """The next bytes, at most `size` of them; none only at the end."""


def decompressed(stream: Source, *, zips: bool = False) -> Source:
    """The stream's content: unpacked if it is gzip (of one member or many) or zstd, else as it is.

    With `zips`, also the one file of a zip archive, unless that is a document, as a spreadsheet is. Raises ReadError
    for an archive of several files.
    """
    opened = Peeked(stream, len(ZSTD_MAGIC))
    if opened.start.startswith(GZIP_MAGIC):
        return _Gzip(opened)
    if opened.start == ZSTD_MAGIC:
        return _Zstd(opened)
    if zips and opened.start == ZIP_MAGIC:
        return _in_archive(opened)
    return opened


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
        return taken + self._source.read(size - len(taken)) if len(taken) < size else taken


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
                "  nothing of it was loaded; have it sent again"
            ) from error


class _Zstd:
    """The content of a zstd file, likewise."""

    def __init__(self, source: Source) -> None:
        import pyarrow as pa

        self._read = 0
        self._file = pa.CompressedInputStream(pa.PythonFile(_File(source), mode="r"), "zstd")

    def read(self, size: int, /) -> bytes:
        try:
            content = bytes(self._file.read(size))
        except OSError as error:
            raise ReadError(
                f"the zstd file is damaged or cut short after {self._read:,} bytes of content: {error}\n"
                "  nothing of it was loaded; have it sent again"
            ) from error
        self._read += len(content)
        return content


class _File:
    """As much of a file as Arrow asks for."""

    closed = False

    def __init__(self, source: Source) -> None:
        self.read = source.read

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def _in_archive(source: Source) -> Source:
    from data_ingestion.reading.spool import spooled

    file = spooled(source)
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise _damaged(error) from error
    names = [item.filename for item in archive.infolist() if not item.is_dir()]
    if any(name in _DOCUMENT_FILES or name.startswith(_DOCUMENT_FOLDERS) for name in names):
        file.seek(0)
        return file
    names = [name for name in names if not name.startswith(_ADDED)]
    if len(names) != 1:
        holds = f"{len(names):,} files: {quote_names(names)}" if names else "no file"
        raise ReadError(
            f"the zip archive has {holds}\n  have it sent with one file in each archive, or unpacked"
        )
    try:
        return _Zipped(archive.open(names[0]))
    except RuntimeError as error:  # which is what zipfile says of a password
        raise ReadError(f"the zip archive has a password: {error}\n  have it sent without one") from error
    except NotImplementedError as error:
        raise ReadError(
            f"the zip archive can't be unpacked: {error}\n  have it sent packed by deflate"
        ) from error


class _Zipped:
    """The one file of an archive."""

    def __init__(self, file: object) -> None:
        self._file = cast(BinaryIO, file)

    def read(self, size: int, /) -> bytes:
        try:
            return self._file.read(size)
        except (zipfile.BadZipFile, EOFError, zlib.error) as error:
            raise _damaged(error) from error


def _damaged(error: Exception) -> ReadError:
    return ReadError(
        f"the zip archive is damaged or cut short: {error}\n  nothing of it was loaded; have it sent again"
    )
