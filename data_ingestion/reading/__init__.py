"""Reading: bytes become records of text, with honest line numbers; nothing is lost and nothing is guessed."""

from data_ingestion.reading.csv import Chunk, CsvReader, read_csv
from data_ingestion.reading.faults import BadRecord, HeaderError, ReadError

__all__ = ["BadRecord", "Chunk", "CsvReader", "HeaderError", "ReadError", "read_csv"]
