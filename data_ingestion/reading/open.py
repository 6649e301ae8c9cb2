"""Open: a drop and its contract give the reader of its format."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from data_ingestion.contract import Contract, CsvFormat, JsonFormat, JsonLinesFormat, ParquetFormat
from data_ingestion.reading.chunk import Chunk, Reader
from data_ingestion.reading.csv_records import ENDS_WITH_DELIMITER
from data_ingestion.reading.faults import ReadError
from data_ingestion.reading.header_names import in_contract_spelling
from data_ingestion.reading.likeness import Likeness, of_json_lines, of_start


def open_reader(stream: BinaryIO, contract: Contract, object_key: str, chunk_bytes: int = 1 << 20) -> Reader:
    """The reader of the object's format, with its header read, and cells filled that say what the one above them says.

    Otherwise as `_open`.
    """
    reader = _open(stream, contract, object_key, chunk_bytes)
    filled = {header for column in contract.columns if column.fill_down for header in column.headers}
    if not (places := [place for place, header in enumerate(reader.header) if header in filled]):
        return reader
    from data_ingestion.reading.fill_down import FilledDown

    return FilledDown(reader, places)


def _open(stream: BinaryIO, contract: Contract, object_key: str, chunk_bytes: int) -> Reader:
    """The reader of the object's format, with its header read.

    Memory is bounded, for text formats by `chunk_bytes` and the longest record. Raises HeaderError for a file without
    a usable header, ReadError (then or while it is read) for one that can't be read to its end.
    """
    # What a format needs is imported by the load that reads it.
    columns = [column.headers for column in contract.columns if not column.from_path]
    known = {*contract.ignored_headers, *(path for paths in columns for path in paths)}
    match form := contract.format_of(object_key):
        case CsvFormat():
            from data_ingestion.reading.csv import read_csv

            ends_unnamed = "" in contract.ignored_headers
            table = read_csv(stream, form, chunk_bytes, ends_unnamed)
            table.rename(in_contract_spelling(table.header, form, known))
            return _CheckedByFirstRecords(table, _check_csv)
        case JsonLinesFormat():
            from data_ingestion.reading.jsonl import read_jsonl

            reader = read_jsonl(stream, form, columns, contract.ignored_headers, chunk_bytes)
            if not reader.start:
                raise ReadError(str(of_start(reader.start, "jsonl")))

            def check_jsonl(first: Chunk) -> Likeness | None:
                return of_json_lines(reader.start, form.encoding, none_is_good=not first.rows)

            return _CheckedByFirstRecords(reader, check_jsonl)
        case JsonFormat():
            from data_ingestion.reading.json_document import read_json

            return read_json(stream, form, columns, contract.ignored_headers, chunk_bytes)
        case ParquetFormat():
            from data_ingestion.reading.parquet import read_parquet

            return read_parquet(stream, known)
    from data_ingestion.reading.spreadsheet import read_spreadsheet

    sheet = read_spreadsheet(stream, form)
    sheet.header = in_contract_spelling(sheet.header, form, known)
    return sheet


class _CheckedByFirstRecords:
    """A reader that raises ReadError for a file whose first records show that it is not what its contract says.

    To the reader each record of such a file is bad, which says nothing of what the file is.
    """

    def __init__(self, reader: Reader, check: Callable[[Chunk], Likeness | None]) -> None:
        self._reader, self._check = reader, check
        self.header = reader.header
        self.look, self.remark = reader.look, reader.remark

    def __iter__(self) -> Iterator[Chunk]:
        is_first = True
        for chunk in self._reader:
            if is_first and chunk.bad and (likeness := self._check(chunk)):
                raise ReadError(str(likeness))
            is_first = False
            yield chunk


def _check_csv(first: Chunk) -> Likeness | None:
    """Whether every row ends with a delimiter and the header does not."""
    if first.rows or not all(record.detail.endswith(ENDS_WITH_DELIMITER) for record in first.bad):
        return None
    what = "has a delimiter at the end of every row, but not at the end of its header"
    remedy = 'add "" to `ignoredHeaders`: a last column without a name is allowed then'
    return Likeness(what, remedy)
