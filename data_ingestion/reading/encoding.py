"""Encoding: whatever the file is written in, the parsers see UTF-8, and what can't be decoded stays visible."""

from __future__ import annotations

import codecs
from typing import NamedTuple

from data_ingestion.reading.compression import Peeked, Source
from data_ingestion.reading.faults import HeaderError, ReadError
from data_ingestion.reading.likeness import encoding_of

_KEEP_UNDECODABLE = "goldworks.keep_undecodable"
_UTF8_BOM = codecs.BOM_UTF8
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Text(NamedTuple):
    """A file's text as UTF-8 without byte order mark, and the reason code of a record that does not decode."""

    source: Source
    undecodable: str


def in_utf8(source: Source, encoding: str) -> Text:
    """The source's text in UTF-8. UTF-8 itself is passed on as it is, valid or not: its records are checked one by one.

    In any other encoding, bytes that stand for no character are passed on as bytes that are not UTF-8 either
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
        source = marked = Peeked(source, 64)
        if marked.start and not marked.start.startswith(_UTF16_BOMS):
            remedy = "declare utf-16-le or utf-16-be" if b"\0" in marked.start else "leave `encoding` out"
            raise HeaderError(
                f"the file is declared as utf-16 but starts without its byte order mark\n  {remedy}"
            )
    return Text(_without_bom(_Transcoded(source, codec)), "bad_encoding")


def why_undecodable(raw: bytes, at: int, reason: str) -> str:
    """What is wrong with a record's byte that does not decode, and in which encoding it could be text."""
    byte = f"byte 0x{raw[at]:02x}"
    if reason != "bad_utf8":
        return f"{byte} is not a character in the contract's `encoding`"
    near = raw[max(0, at - 200) : at + 200]
    match encoding_of(near):
        case None:
            return f"{byte} is not valid UTF-8 (see `encoding`)"
        case "utf-16" | "utf-16-le" | "utf-16-be" | "utf-32" as name:
            return f"{byte} is not valid UTF-8; the bytes look like {name} (see `encoding`)"
        case name:
            return f"{byte} is not valid UTF-8; in {name} it is {raw[at : at + 1].decode(name)!r} (see `encoding`)"


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
                f"encoding: {codec.name!r} can't be read as a stream\n  declare utf-8, utf-16, latin-1 or cp1252"
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
