"""Likeness: what a file seems to be by its first bytes, when it is not what its contract says.

Only files that can't be read as declared are looked at, so nothing here decides how a file is read.
"""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass

# So much of a file's start is kept to be looked at.
START_BYTES = 8192


@dataclass(frozen=True)
class Likeness:
    """What a file seems to be, as the end of a sentence about it, and what can be done."""

    what: str
    remedy: str

    def __str__(self) -> str:
        return f"the file {self.what}\n  {self.remedy}"


# Formats by the names that contracts have for them.
_NAMES = {"csv": "CSV", "jsonl": "JSON Lines", "json": "JSON", "parquet": "Parquet", "xlsx": ".xlsx"}
_TEXT_FORMATS = ("csv", "jsonl", "json")
# What a file begins with, what that is, and the format of a contract that reads it.
_MAGICS: tuple[tuple[bytes, str, str | None], ...] = (
    (b"PAR1", "a Parquet file", "parquet"),
    (b"PARE", "an encrypted Parquet file", None),
    (b"%PDF-", "a PDF document", None),
    (b"Obj\x01", "an Avro file", None),
    (b"ORC", "an ORC file", None),
    (b"ARROW1", "an Arrow (Feather) file", None),
    (b"SQLite format 3\0", "an SQLite database", None),
    (b"{\\rtf", "a document in RTF", None),
    (b"\x89PNG", "an image (PNG)", None),
    (b"\xff\xd8\xff", "an image (JPEG)", None),
    (b"version https://git-lfs", "a Git LFS pointer", None),
)  # fmt: skip
_PACKED: tuple[tuple[bytes, str], ...] = (
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
    (b"\x04\x22\x4d\x18", "LZ4"),
)
_ZIP, _GZIP, _OLE = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
_BOMS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DELIMITERS = (",", ";", "\t", "|")
# How the first line of a JSON document ends that continues.
_GOES_ON = re.compile(r"[\[{,:]$")


def of_start(start: bytes, declared: str, encoding: str = "utf-8") -> Likeness | None:
    """What a file with these first bytes seems to be, other than the declared format; None if unknown.

    `encoding` is the contract's, of a format of text.
    """
    if not start:
        return Likeness("is empty: it has no bytes", "have it sent again")
    if not start.strip(b"\0"):
        return Likeness("starts with only NUL bytes, as an interrupted copy does", _again(declared))
    return (
        _of_binary(start, declared)
        or _of_encoded(start, declared, encoding)
        or _of_text(_decoded(start, encoding), declared)
    )


def of_json_lines(start: bytes, encoding: str, none_is_good: bool) -> Likeness | None:
    """The same for a file of JSON Lines, of whose first records some are bad, or all (`none_is_good`).

    An array over several lines may leave its last element alone on a line, which is a good record.
    """
    text = _decoded(start, encoding)
    first, _, rest = text.partition("\n")
    if text.startswith("[") and rest.strip() and not _is_json(first):
        return _json_array("jsonl")
    return of_start(start, "jsonl", encoding) if none_is_good else None


def encoding_of(raw: bytes) -> str | None:
    """An encoding in which these bytes, which are not UTF-8, could be text: that in which most of them are letters."""
    if wide := _wide_encoding(raw):
        return wide
    letters: dict[str, int] = {}
    for name in ("windows-1252", "cp850", "mac-roman"):
        try:
            letters[name] = sum(character.isalpha() for character in raw.decode(name))
        except UnicodeDecodeError:
            continue
    return max(letters, key=letters.__getitem__, default=None)


def _of_binary(start: bytes, declared: str) -> Likeness | None:
    if start.startswith(_GZIP):
        return Likeness("is packed by gzip twice", "have it sent packed once, or not at all")
    if start.startswith(_OLE):
        what = "looks like an Excel file from before 2007 (.xls), or one with a password"
        return Likeness(what, f"save it as {_NAMES[declared]}, without a password")
    if start.startswith(_ZIP):
        return _of_zip(start, declared)
    for magic, name in _PACKED:
        if start.startswith(magic):
            remedy = "the loader does not unpack it: have it sent unpacked, or packed by gzip"
            return Likeness(f"is packed by {name}", remedy)
    if declared == "parquet" and start.startswith(b"PAR1"):
        return Likeness("starts like a Parquet file, but its end is missing: it was cut short", _again())
    for magic, noun, format_ in _MAGICS:
        if start.startswith(magic):
            return Likeness(f"looks like {noun}, not like {_NAMES[declared]}", _otherwise(format_, declared))
    return None


def _of_zip(start: bytes, declared: str) -> Likeness | None:
    if b"opendocument" in start:
        return Likeness("looks like an OpenDocument file (.ods)", f"save it as {_NAMES[declared]}")
    if b"word/" in start or b"ppt/" in start:
        return Likeness("looks like a Word or PowerPoint document", _again(declared))
    if b"xl/" in start or b"[Content_Types].xml" in start:
        if declared == "xlsx":
            return None
        what = f"looks like an Excel spreadsheet (.xlsx), not like {_NAMES[declared]}"
        return Likeness(what, _otherwise("xlsx", declared))
    remedy = "the loader does not unpack it: have its files sent unpacked, or packed by gzip"
    return Likeness("looks like a zip archive", remedy)


def _of_encoded(start: bytes, declared: str, encoding: str) -> Likeness | None:
    """Text in another encoding than the contract's, where the declared format is one of text."""
    if declared not in _TEXT_FORMATS:
        return None
    codec = codecs.lookup(encoding).name
    is_wide = codec.startswith(("utf-16", "utf-32"))
    if not is_wide and (name := _wide_encoding(start)):
        return Likeness(f"looks like text in {name.upper()}", f"declare `encoding: {name}`")
    if (
        not codec.startswith("utf-8")
        and _is_utf8(start)
        and (b"\0" not in start if is_wide else not start.isascii())
    ):
        what = f"looks like text in UTF-8, where the contract has the encoding {encoding}"
        return Likeness(what, "leave `encoding` out of the contract, or have it sent in that encoding")
    return None


def _is_utf8(start: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # whose last character may be cut
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(raw: bytes) -> str | None:
    """UTF-16 or UTF-32, by the mark that they start with; without it UTF-16 has NULs between Latin letters."""
    for bom, name in _BOMS:
        if raw.startswith(bom):
            return name
    even, odd = raw[0:512:2], raw[1:512:2]
    if len(odd) >= 2 and odd.count(0) > 0.8 * len(odd) and even.count(0) < 0.2 * len(even):
        return "utf-16-le"
    if len(odd) >= 2 and even.count(0) > 0.8 * len(even) and odd.count(0) < 0.2 * len(odd):
        return "utf-16-be"
    return None


def _decoded(start: bytes, encoding: str) -> str:
    return start.decode(_wide_encoding(start) or encoding, "replace").lstrip("\ufeff \t\r\n")


def _of_text(text: str, declared: str) -> Likeness | None:
    first, _, rest = text.partition("\n")
    if re.match(r"<(!doctype html|html|head|body)\b", text, re.IGNORECASE):
        what = "looks like a web page (HTML), perhaps an error page"
        return Likeness(what, _again(declared))
    if re.match(r"<[?!A-Za-z]", text):
        is_error = re.search(r"<(Error|Fault|Code)>", text[:1000])
        what = "looks like an error message in XML" if is_error else "looks like XML"
        return Likeness(f"{what}, not like {_NAMES[declared]}", _again(declared))
    if re.match(r"\[\s*([\[{\"\]]|-?[0-9]|$)", text):
        return _json_array(declared)
    if text.startswith("{"):
        return _of_json_object(first.strip(), bool(rest.strip()), declared)
    if declared == "csv" or "\0" in text or "\ufffd" in text[:200]:
        return None
    for delimiter in DELIMITERS:
        if (cells := first.count(delimiter) + 1) > 1:
            what = f"looks like CSV: its first line has {cells} cells with {delimiter!r} between them"
            return Likeness(what, _otherwise("csv", declared))
    return Likeness(f"looks like plain text, not like {_NAMES[declared]}", _again(declared))


def _of_json_object(first: str, goes_on: bool, declared: str) -> Likeness | None:
    if first.endswith(",") and _is_json(first[:-1]):
        what = "has a comma after its objects, as a JSON array has"
        also = "" if declared == "jsonl" else f" and declare `format: jsonl`, or as {_NAMES[declared]}"
        return Likeness(what, f"have it sent with one object on each line{also}")
    if _is_json(first):
        if declared == "jsonl":
            return None
        what = f"looks like JSON Lines, not like {_NAMES[declared]}"
        return Likeness(what, _otherwise("jsonl", declared))
    if declared == "jsonl" and not (goes_on and _GOES_ON.search(first)):
        return None
    if not re.match(r"\{\s*(\"|\}|$)", first):
        return None
    what = "looks like a JSON document over several lines"
    return Likeness(what, _as_json(declared))


def _json_array(declared: str) -> Likeness:
    return Likeness("is one JSON array, not an object on each line", _as_json(declared))


def _as_json(declared: str) -> str:
    also = "with one object on each line" if declared == "jsonl" else f"as {_NAMES[declared]}"
    return f"declare `format: json` for its path, or have it sent {also}"


def _otherwise(format_: str | None, declared: str) -> str:
    if format_ is None:
        return f"the loader does not read such files: have it sent as {_NAMES[declared]}"
    return f"declare `format: {format_}` for its path, or have it sent as {_NAMES[declared]}"


def _again(declared: str | None = None) -> str:
    return "have it sent again" + (f", as {_NAMES[declared]}" if declared else "")


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
