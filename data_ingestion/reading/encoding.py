"""Encoding: whatever the file is written in, the parsers see UTF-8, and what can't be decoded stays visible."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from data_ingestion.reading.compression import Peeked, Source
from data_ingestion.reading.faults import HeaderError, ReadError

_KEEP_UNDECODABLE = "goldworks.keep_undecodable"
_UTF8_BOM = codecs.BOM_UTF8
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Text(NamedTuple):
    """A file's text as UTF-8 without byte order mark, and the reason code of a record that does not decode."""

    source: Source
    undecodable: str


def in_utf8(source: Source, encoding: str) -> Text:
    """The source's text in UTF-8. UTF-8 itself is passed on as it is, valid or not: its records are judged one by one.

    In any other encoding, bytes that stand for no character are passed on as bytes that are no UTF-8 either
    (themselves, or 0xFF where they would read as text), so that their record is found bad and no other.
    """
    try:
        codec = codecs.lookup(encoding)
        if not codec._is_text_encoding:
            raise LookupError
    except LookupError:
        raise ReadError(
            f"encoding: {encoding!r} is not known\n  declare utf-8, utf-16, latin-1 or cp1252"
        ) from None
    if codec.name in ("utf-8", "utf-8-sig"):
        return Text(_without_bom(source), "bad_utf8")
    if codec.name == "utf-16":
        source = marked = Peeked(source, len(codecs.BOM_UTF16))
        if marked.start and marked.start not in _UTF16_BOMS:
            raise HeaderError(
                "the file is declared as utf-16 but starts without a byte order mark\n  declare utf-16-le or utf-16-be"
            )
    return Text(_without_bom(_Transcoded(source, codec)), "bad_encoding")


def _without_bom(source: Source) -> Source:
    marked = Peeked(source, len(_UTF8_BOM))
    if marked.start.startswith(_UTF8_BOM):
        marked.read(len(_UTF8_BOM))
    return marked


class _Transcoded:
    def __init__(self, source: Source, codec: codecs.CodecInfo) -> None:
        self._source = source
        if codec.incrementaldecoder is None:
            raise ReadError(
                f"encoding: {codec.name!r} can't be read in parts\n  declare utf-8, utf-16, latin-1 or cp1252"
            )
        self._decoder = codec.incrementaldecoder(_KEEP_UNDECODABLE)
        self._ended = False

    def read(self, size: int, /) -> bytes:
        """As much text as the next `size` bytes of the file hold: up to three times as many bytes in UTF-8."""
        while not self._ended:
            raw = self._source.read(size)
            self._ended = not raw
            if text := self._decoder.decode(raw, self._ended):
                return text.encode("utf-8", "surrogateescape")
        return b""


def _keep_undecodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) if byte >= 0x80 else "\udcff" for byte in bad), error.end


codecs.register_error(_KEEP_UNDECODABLE, _keep_undecodable)
