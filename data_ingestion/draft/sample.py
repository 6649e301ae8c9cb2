"""Sample: a file's columns as texts, and how it has to be read for that: encoding, delimiter, line of the header."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from data_ingestion.checks.native import as_text
from data_ingestion.contract.file_formats import CsvFormat, JsonFormat, JsonLinesFormat, SpreadsheetFormat
from data_ingestion.errors import UsageFault
from data_ingestion.reading.compression import Peeked, decompressed
from data_ingestion.reading.csv import read_csv
from data_ingestion.reading.encoding import in_utf8
from data_ingestion.reading.faults import ReadError
from data_ingestion.reading.first_rows import SEPARATOR_LINE, VALUE
from data_ingestion.reading.json_document import RecordLines
from data_ingestion.reading.likeness import DELIMITERS, encoding_of, of_start
from data_ingestion.reading.lines import read_lines

# As much of a file as is looked at.
MOST_ROWS = 100_000
START_BYTES = 1 << 18
START_LINES = 60
# In a larger document the list of records is not looked for.
MOST_OF_A_DOCUMENT, READ_AT_ONCE = 64 << 20, 1 << 20
# What begins a comment in most files that have any.
COMMENT = "#"
# What windows-1252 has beside letters and people write: where it is all, the file is in that.
PUNCTUATION = "€£–—„“”‘’…•°§²³½µ®©«»ºª\u00a0"


@dataclass(frozen=True)
class Sample:
    """What was read of a file: by header the texts of its cells, null where there is none.

    `settings` is what a server of the contract has to say so that it is read like this; `left_out` names what has no
    place in a column, with the reason. Of several files `spellings` has other ways in which a header is written, and
    `absent` the headers that some of them lack.
    """

    format: str
    columns: Mapping[str, Any]
    rows: int
    is_whole: bool
    settings: Mapping[str, object] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    files: int = 1
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


def read_sample(path: Path) -> Sample:
    """A file of any format that a contract can name. Raises `UsageFault` for one of none."""
    with path.open("rb") as stream:
        start = Peeked(decompressed(stream, zips=True), START_BYTES).start
    if not start:
        raise UsageFault(f"{path}: the file is empty\n  give one with some rows")
    with path.open("rb") as stream:
        is_packed = stream.read(4) != start[:4]
    if start.startswith(b"PAR1"):
        if is_packed:
            raise UsageFault(
                f"{path}: Parquet within gzip\n  unpack it for the draft: Parquet is packed by itself"
            )
        return _of_parquet(path)
    if start.startswith(b"PK\x03\x04") and path.suffix.lower() in (".xlsx", ".xlsm"):
        return _of_spreadsheet(path)
    encoding = _encoding(start)
    text = start.decode(encoding, "replace").lstrip("\ufeff")
    if len(start) == START_BYTES and "\n" in text:  # the last line is cut
        text = text[: text.rindex("\n")]
    if text.lstrip().startswith(("{", "[")):
        return _of_json(path, encoding, is_lines=_is_json_lines(text) or ".jsonl" in path.name.lower())
    if likeness := of_start(start, "csv", encoding):
        raise UsageFault(f"{path}: {likeness}")
    return _of_csv(path, text, encoding)


def _encoding(start: bytes) -> str:
    """By the start, of which the last character may be cut."""
    name = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        codecs.getincrementaldecoder(name)().decode(start)
    except UnicodeDecodeError:
        pass
    else:
        return name
    known = start.decode("windows-1252", "replace")
    beyond_ascii = [sign for sign in known if sign > "\x7f"]
    if all(sign.isalpha() or sign in PUNCTUATION for sign in beyond_ascii):
        return "windows-1252"
    return encoding_of(start) or "utf-8"


def _of_csv(path: Path, text: str, encoding: str) -> Sample:
    lines = text.splitlines()[:START_LINES]
    if not any(line.strip() for line in lines):
        raise UsageFault(f"{path}: its first {START_LINES} lines are blank\n  give a file with some rows")
    is_separator_given = SEPARATOR_LINE.fullmatch(lines[0].strip()) is not None
    if is_separator_given:
        lines[0] = ""
    lines, comment = _without_comments(lines)
    delimiter, header_line, has_header = find_table(lines)
    if comment and not is_separator_given and not any(line.strip() for line in lines[: header_line - 1]):
        header_line = 1  # only comments stand above it
    settings: dict[str, object] = {}
    if comment:
        settings["commentPrefix"] = comment
    has_empty_rows = any(line.strip() and not line.strip(f"{delimiter} ") for line in lines[header_line:])
    if has_empty_rows:
        settings["skipEmptyRows"] = True
    names: tuple[str, ...] = ()
    if not has_header:
        names = tuple(
            f"column_{place + 1}" for place in range(len(_cells(lines[header_line - 1], delimiter)))
        )
        settings["columnNames"] = list(names)
    if header_line > 1:
        settings["headerLine"] = header_line
    skips_space = re.search(re.escape(delimiter) + ' +"', text) is not None
    if skips_space:
        settings["skipInitialSpace"] = True
    if delimiter not in (",", "\t"):
        settings["delimiter"] = delimiter
    if encoding != "utf-8":
        settings["encoding"] = encoding
    form = CsvFormat(
        delimiter,
        encoding,
        skips_space,
        header_line=header_line,
        column_names=names,
        comment_prefix=comment,
        skip_empty_rows=has_empty_rows,
    )
    with path.open("rb") as stream:
        reader = read_csv(stream, form, ends_unnamed=True)
        chunks, rows, is_whole = _first_rows(chunk.table for chunk in reader)
    columns, left_out = _by_header(reader.header, chunks)
    return Sample("tsv" if delimiter == "\t" else "csv", columns, rows, is_whole, settings, left_out)


def _without_comments(lines: Sequence[str]) -> tuple[list[str], str]:
    """The lines with comments left blank, and what these begin with; a file whose rows begin so has none."""
    delimiter, header_line, _ = find_table(lines)
    width = len(_cells(lines[header_line - 1], delimiter))
    marked = [line for line in lines if line.startswith(COMMENT)]
    if not marked or any(len(_cells(line, delimiter)) == width for line in marked):
        return list(lines), ""
    return ["" if line.startswith(COMMENT) else line for line in lines], COMMENT


def find_table(lines: Sequence[str]) -> tuple[str, int, bool]:
    """By which delimiter lines are a table, on which line it begins (from 1), and whether that is a header. Pure.

    The delimiter is the one that gives most lines the same number of cells, more than one if there is such.
    """
    best: tuple[tuple[float, int], str, int] | None = None
    for delimiter in DELIMITERS:
        counts = Counter(len(_cells(line, delimiter)) for line in lines if line.strip())
        width, times = max(counts.items(), key=lambda item: (item[1], item[0]))
        score = (times / sum(counts.values()) if width > 1 else 0.0, width)
        if best is None or score > best[0]:
            best = (score, delimiter, width)
    assert best is not None, "there are delimiters"
    _, delimiter, width = best
    for number, line in enumerate(lines, 1):
        cells = _cells(line, delimiter)
        if len(cells) >= width and line.strip():
            has_header = not any(VALUE.fullmatch(cell.strip()) for cell in cells) and any(
                cell.strip() for cell in cells
            )
            return delimiter, number, has_header
    return delimiter, 1, True


def _cells(line: str, delimiter: str) -> list[str]:
    return next(csv.reader(io.StringIO(line), delimiter=delimiter, skipinitialspace=True), [])


def _first_rows(tables: Iterator[Any]) -> tuple[list[Any], int, bool]:
    chunks, rows = [], 0
    for table in tables:
        chunks.append(table)
        rows += table.num_rows
        if rows >= MOST_ROWS:
            return chunks, rows, False
    return chunks, rows, True


def _by_header(header: Sequence[str], tables: Sequence[Any]) -> tuple[dict[str, Any], dict[str, str]]:
    columns: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for place, name in enumerate(header):
        if not name.strip():
            left_out[name] = "has no name"
        elif header.count(name) > 1:
            left_out[name] = f"stands {header.count(name)} times in the header"
        else:
            parts = [as_text(table.column(place)) for table in tables]
            columns[name] = pa.concat_arrays(parts) if parts else pa.nulls(0, pa.string())
    return columns, left_out


def _of_spreadsheet(path: Path) -> Sample:
    from data_ingestion.reading.spreadsheet import read_spreadsheet

    with path.open("rb") as stream:
        reader = read_spreadsheet(stream, SpreadsheetFormat())
        first = next(iter(reader), None)
    line = 1
    if first is not None:  # titles have fewer cells than the header
        wide = [row for row in first.bad if row.reason == "too_many_columns"]
        line = wide[0].line if wide else 1
    with path.open("rb") as stream:
        reader = read_spreadsheet(stream, SpreadsheetFormat(header_line=line))
        chunks, rows, is_whole = _first_rows(chunk.table for chunk in reader)
        columns, left_out = _by_header(reader.header, chunks)
    return Sample("xlsx", columns, rows, is_whole, {"headerLine": line} if line > 1 else {}, left_out)


def _of_parquet(path: Path) -> Sample:
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise UsageFault(f"{path}: the Parquet file is damaged: {error}\n  have it sent again") from error
    paths = list(_leaves(file.schema_arrow))
    left_out = {name: f"is {kind}" for name, kind in paths if kind}
    columns: dict[str, list[Any]] = {name: [] for name, kind in paths if not kind}
    rows = 0
    for batch in file.iter_batches(1 << 14):
        for name in columns:
            cells = batch
            for part in name.split("."):
                cells = cells.field(part) if isinstance(cells, pa.StructArray) else cells.column(part)
            columns[name].append(as_text(cells))
        rows += batch.num_rows
        if rows >= MOST_ROWS:
            break
    joined = {
        name: pa.concat_arrays(parts) if parts else pa.nulls(0, pa.string())
        for name, parts in columns.items()
    }
    return Sample("parquet", joined, rows, rows == file.metadata.num_rows, {}, left_out)


def _leaves(schema: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Paths of columns, and why one can't be a column ('' if it can)."""
    for part in schema:
        name = f"{prefix}{part.name}"
        if pa.types.is_struct(part.type):
            yield from _leaves(part.type, f"{name}.")
        else:
            is_nested = pa.types.is_nested(part.type) or pa.types.is_binary(part.type)
            yield name, f"a {part.type}, of which a column holds none" if is_nested else ""


def _is_json_lines(text: str) -> bool:
    """Whether the first lines of a file are objects, each by itself; of a single line it can't be seen."""
    lines = [line for line in text.splitlines() if line.strip()][:2]
    return len(lines) > 1 and all(isinstance(_parsed(line), dict) for line in lines)


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except ValueError:
        return None


def _of_json(path: Path, encoding: str, *, is_lines: bool) -> Sample:
    """JSON Lines; or a document, in which the longest list of objects has the records."""
    if is_lines:
        with path.open("rb") as stream:
            lines = (line for part in read_lines(stream, JsonLinesFormat(encoding)) for _, line in part)
            return _of_records(path, "jsonl", lines, _encoding_setting(encoding))
    with path.open("rb") as stream:
        whole = in_utf8(decompressed(stream, zips=True), encoding).source.read(MOST_OF_A_DOCUMENT)
    records = _path_to_records(_parsed(whole))
    settings = _encoding_setting(encoding) | ({"records": ".".join(records)} if records else {})
    with path.open("rb") as stream:
        found = RecordLines(
            in_utf8(decompressed(stream, zips=True), encoding).source,
            JsonFormat(encoding, records=records),
            READ_AT_ONCE,
        )
        try:
            blocks = iter(lambda: found.read(READ_AT_ONCE), b"")
            return _of_records(
                path, "json", (line for block in blocks for line in block.splitlines()), settings
            )
        except ReadError as error:
            raise UsageFault(f"{path}: {error}") from error


def _path_to_records(document: Any) -> tuple[str, ...]:
    """The keys that lead to the longest list of objects; none where the document is the list, or has no such list."""
    if not isinstance(document, dict):
        return ()
    found: dict[tuple[str, ...], int] = {}

    def look(value: Any, keys: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                look(inner, (*keys, name))
        elif isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
            found[keys] = len(value)

    look(document, ())
    return max(found, key=lambda keys: found[keys], default=())


def _encoding_setting(encoding: str) -> dict[str, object]:
    return {} if encoding == "utf-8" else {"encoding": encoding}


def _of_records(path: Path, form: str, lines: Iterable[bytes], settings: Mapping[str, object]) -> Sample:
    found: dict[str, list[str | None]] = {}
    left_out: dict[str, str] = {}
    rows = 0
    for line in lines:
        record = _parsed(line)
        if not isinstance(record, dict):
            continue  # a load sends it to the quarantine
        for name, value in _flat(record):
            if isinstance(value, list):
                left_out[name] = "is a list, of which a column holds none"
            else:
                cells = found.setdefault(name, [])
                cells += [None] * (rows - len(cells))
                cells.append(value)
        rows += 1
        if rows >= MOST_ROWS:
            break
    if not found:
        raise UsageFault(f"{path}: the file holds no JSON object with values\n  give one with some records")
    columns = {
        name: pa.array(cells + [None] * (rows - len(cells)), pa.string())
        for name, cells in found.items()
        if name not in left_out
    }
    return Sample(form, columns, rows, rows < MOST_ROWS, settings, left_out)


def _flat(record: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value).lower() if isinstance(value, bool) else value
