"""Reading: bytes become records, with honest line numbers; nothing is lost and nothing is guessed."""

from data_ingestion.reading.chunk import Chunk, Reader, is_text, join_texts
from data_ingestion.reading.csv import CsvReader, read_csv
from data_ingestion.reading.faults import BadRecord, HeaderError, ReadError
from data_ingestion.reading.open import open_reader
from data_ingestion.reading.path_values import with_path_values
from data_ingestion.reading.prefetch import read_ahead

__all__ = [
    "BadRecord",
    "Chunk",
    "CsvReader",
    "HeaderError",
    "ReadError",
    "Reader",
    "is_text",
    "join_texts",
    "open_reader",
    "read_ahead",
    "read_csv",
    "with_path_values",
]
