"""File formats: how the bytes of a drop are cut into records and cells, as a server of a contract says it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

# Part of a spreadsheet's fingerprint: raise it when the same cells begin to be read as other ones.
SPREADSHEET_RULES = 2  # numbers whose format is zeros alone are read as the texts that are shown


@dataclass(frozen=True)
class CsvFormat:
    """How the bytes of a CSV drop are cut into cells."""

    delimiter: str = ","
    encoding: str = "utf-8"
    skip_initial_space: bool = False
    max_record_bytes: int = 1_048_576
    header_line: int = 1  # lines above it are skipped
    column_names: tuple[str, ...] = ()  # of files that have no header, in their order
    relaxed_headers: bool = False  # case, blanks, underscores and hyphens of a header's names don't count
    numbers_repeated_headers: bool = False  # the second header of a name is `name (2)`
    quote: str = '"'  # what stands around a cell that holds delimiters or line ends; empty: nothing does
    escape: str = ""  # what stands before a quote, a delimiter or a line end that is text
    comment_prefix: str = ""  # a line that begins with it is not a record
    skip_empty_rows: bool = False  # a row without a text in any cell is not a record
    footer: tuple[str, ...] = ()  # what the last lines look like, `*` for any text; they are no records


@dataclass(frozen=True)
class JsonLinesFormat:
    """How the bytes of a drop of JSON Lines are cut into records."""

    encoding: str = "utf-8"
    max_record_bytes: int = 1_048_576


@dataclass(frozen=True)
class JsonFormat:
    """Where the records are in a JSON document."""

    encoding: str = "utf-8"
    max_record_bytes: int = 1_048_576
    records: tuple[
        str, ...
    ] = ()  # the path to their list; empty: the document is the list, or one object or several


@dataclass(frozen=True)
class ParquetFormat:
    """Parquet, which says itself how it is to be read."""


@dataclass(frozen=True)
class SpreadsheetFormat:
    """Which sheet of an xlsx file holds the rows, and how large a file may be: its texts are held in memory."""

    sheet: str | None = None  # by name; the first if none is named
    header_line: int = 1  # the row in which the header stands
    relaxed_headers: bool = False
    numbers_repeated_headers: bool = False
    max_file_bytes: int = 67_108_864
    max_unpacked_bytes: int = 536_870_912


Format = CsvFormat | JsonLinesFormat | JsonFormat | ParquetFormat | SpreadsheetFormat


def decisive_of_format(form: Format) -> dict[str, object]:
    """What a format decides of the rows: all but the sizes from which on a file is refused as a whole.

    Settings that came after there were fingerprints are in it only where they say something.
    """
    match form:
        case CsvFormat():
            first = ("delimiter", "encoding", "skip_initial_space", "max_record_bytes")
            return {
                name: value for name, value in asdict(form).items() if name in first or _is_said(form, name)
            }
        case SpreadsheetFormat():
            later = {name: value for name, value in asdict(form).items() if _is_said(form, name)}
            return {"name": "xlsx", "rules": SPREADSHEET_RULES, **later, "sheet": form.sheet}
        case ParquetFormat():
            return {"name": "parquet"}
        case JsonFormat():
            return {"name": "json", **asdict(form)}
    return {"name": "jsonl", **asdict(form)}


def _is_said(form: CsvFormat | SpreadsheetFormat, name: str) -> bool:
    return not name.startswith("max_") and getattr(form, name) != getattr(type(form), name)
