"""Open: a drop and its contract give the reader of its format."""

from __future__ import annotations

from typing import BinaryIO

from data_ingestion.contract import Contract, CsvFormat, JsonLinesFormat, ParquetFormat
from data_ingestion.reading.chunk import Reader


def open_reader(stream: BinaryIO, contract: Contract, object_key: str, chunk_bytes: int = 1 << 20) -> Reader:
    """The reader of the object's format, with its header read.

    Memory is bounded, for text formats by `chunk_bytes` and the longest record. Raises HeaderError for a file without
    a usable header, ReadError (then or while it is read) for one that can't be read to its end.
    """
    # What a format needs is imported by the load that reads it.
    columns = [column.headers for column in contract.columns]
    match form := contract.format_of(object_key):
        case CsvFormat():
            from data_ingestion.reading.csv import read_csv

            return read_csv(stream, form, chunk_bytes)
        case JsonLinesFormat():
            from data_ingestion.reading.jsonl import read_jsonl

            return read_jsonl(stream, form, columns, contract.ignored_headers, chunk_bytes)
        case ParquetFormat():
            from data_ingestion.reading.parquet import read_parquet

            return read_parquet(
                stream, {*contract.ignored_headers, *(path for paths in columns for path in paths)}
            )
    from data_ingestion.reading.spreadsheet import read_spreadsheet

    return read_spreadsheet(stream, form)
