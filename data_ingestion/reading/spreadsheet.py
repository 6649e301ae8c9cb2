"""Spreadsheet: the rows of one sheet of an xlsx file become chunks of columns, each cell with the type it has there.

- The first row that holds anything names the columns; a row that holds nothing is not a record. Rows keep the numbers
  that a person sees beside them.
- A formula counts with the value that was saved with it; without one its row is bad, as is a row with an error
  (`#N/A`) and one that holds more than the header names.
- A merged cell holds its value in its first row and column, as the file has it; the others are empty.
- A date is what the cell's number format says is one. A number whose format is zeros alone, as of postal codes, is the
  text that the sheet shows: `00000` shows 1234 as `01234`.
- A character that XML can't hold is stored by its code, `_x000D_`, and `_x005F_` is an underscore that begins no code
  (ECMA-376, ST_Xstring). What is not a character, NUL or half of one, makes its row bad.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple, Protocol

import pyarrow as pa
from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles import numbers
from openpyxl.worksheet._reader import CELL_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from data_ingestion.errors import GoldworksError
from data_ingestion.excerpts import MOST_OF_A_CELL, quote, quote_names, shorten
from data_ingestion.reading.chunk import Chunk, RawRows
from data_ingestion.reading.compression import decompressed
from data_ingestion.reading.faults import BadRecord, HeaderError, ReadError
from data_ingestion.reading.first_rows import MOST_ROWS, of_rows
from data_ingestion.reading.json_text import compact
from data_ingestion.reading.likeness import START_BYTES, Likeness, of_start
from data_ingestion.reading.spool import spooled
from data_ingestion.reading.spreadsheet_cells import (
    NoText,
    Value,
    as_column,
    as_json,
    decoded,
    padded,
    shown,
    value_of,
)

_CHUNK_ROWS = 2000
_LAST_ROW = 1 << 20
_SMALLER = "send it as CSV or Parquet, or in parts; or raise {} in the contract"
_SHEET_DATA_TAG = f"{{{SHEET_MAIN_NS}}}sheetData"
_SHARED_TEXT_TAG = f"{{{SHEET_MAIN_NS}}}si"
_ZEROS = re.compile("00+")


class Format(Protocol):
    """What reading needs to know of a spreadsheet; a contract's `SpreadsheetFormat` is one."""

    @property
    def sheet(self) -> str | None: ...
    @property
    def header_line(self) -> int: ...
    @property
    def max_file_bytes(self) -> int: ...
    @property
    def max_unpacked_bytes(self) -> int: ...


def read_spreadsheet(stream: BinaryIO, form: Format) -> SpreadsheetReader:
    """Reads the header of the sheet that the format names, else of the first that is not hidden.

    Raises ReadError for a file that is damaged or larger than the format allows (its texts are held in memory),
    HeaderError for a sheet that is not there or holds nothing.
    """
    return SpreadsheetReader(stream, form)


class SpreadsheetReader:
    """A sheet on the way through: `header` is known, chunks come by iteration."""

    header: tuple[str, ...]

    def __init__(self, stream: BinaryIO, form: Format) -> None:
        file = spooled(decompressed(stream), form.max_file_bytes, _SMALLER.format("maxFileBytes"))
        with _damage(file):
            _check_unpacked_size(file, form.max_unpacked_bytes)
            book = _Book(file, read_only=True, data_only=True, keep_links=False)
            book.read()
            self._rows = _rows(_sheet(book.wb, form.sheet))
        self._file = file
        self.header = self._read_header(form.header_line)

    def __iter__(self) -> Iterator[Chunk]:
        rows = self._next_rows()
        while rows:
            yield self._chunk(rows)
            rows = self._next_rows()
        self._file.close()

    def _read_header(self, wanted: int) -> tuple[str, ...]:
        with _damage(self._file):
            first = next((row for row in self._rows if row.cells and row.number >= wanted), None)
        if first is None:
            if wanted > 1:
                raise HeaderError(
                    f"the sheet holds nothing from row {wanted} on\n  the contract has its header there (`headerLine`)"
                )
            raise HeaderError("the sheet is empty\n  its first row must name its columns")
        if first.fault:
            raise HeaderError(
                f"row {first.number} can't be read as a header: {first.fault[0]}: {first.fault[2]}\n  correct the cell"
            )
        return _names(first)

    def remark(self) -> str:
        """Nothing that is not said of each record."""
        return ""

    def look(self, headers: Collection[str]) -> Likeness | None:
        """What the sheet looks like, given that its header is not of these; no row can be read after this."""
        rows = [(row.number, _names(row)) for row in self._next_rows()[:MOST_ROWS]]
        return of_rows([(0, self.header), *rows], headers, "row")

    def _next_rows(self) -> list[_Row]:
        rows: list[_Row] = []
        with _damage(self._file):
            for row in self._rows:
                if row.cells or row.fault:
                    rows.append(row)
                if len(rows) == _CHUNK_ROWS:
                    break
        return rows

    def _chunk(self, rows: Sequence[_Row]) -> Chunk:
        good: list[_Row] = []
        bad: list[BadRecord] = []
        width = len(self.header)
        for row in rows:
            fault = row.fault
            if fault is None and max(row.cells) > width:
                fault = ("too_many_columns", None, f"{max(row.cells)} cells, the header has {width}")
            if fault is None:
                good.append(row)
                continue
            reason, place, detail = fault
            column = self.header[place - 1] if place is not None and place <= width else None
            bad.append(BadRecord(row.number, reason, self._raw(row), column, detail))
        columns = [as_column([row.cells.get(place) for row in good]) for place in range(1, width + 1)]
        table = pa.RecordBatch.from_arrays(columns, names=list(self.header))
        lines = pa.array([row.number for row in good], pa.int64())
        return Chunk(lines, table, tuple(bad), _RowsAsJson(good, self._raw))

    def _raw(self, row: _Row) -> bytes:
        names = dict(enumerate(self.header, start=1))
        cells = {names.get(place, f"column {place}"): as_json(value) for place, value in row.cells.items()}
        return compact(cells).encode()


class _Row(NamedTuple):
    """A row of the sheet: its number, its cells that hold something by column, and why it is bad, if it is."""

    number: int
    cells: dict[int, Value]
    fault: tuple[str, int | None, str] | None = None


class _RowsAsJson(RawRows):
    """Rows as JSON."""

    def __init__(self, rows: Sequence[_Row], write: Callable[[_Row], bytes]) -> None:
        self._rows, self._write = rows, write

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, number: int) -> bytes:
        return self._write(self._rows[number])


class _Book(ExcelReader):  # type: ignore[misc]
    """openpyxl's reader of books, with shared texts as they are written: it drops every `x005F_` in them."""

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)
        if part is None:
            return
        with self.archive.open(part.PartName[1:]) as source:
            for _, element in iterparse(source):
                if element.tag == _SHARED_TEXT_TAG:
                    self.shared_strings.append(Text.from_tree(element).content)
                    element.clear()


class _SheetParser(WorkSheetParser):  # type: ignore[misc]
    """openpyxl's parser of cells, without what it keeps of rows; it marks formulas that were saved without a value."""

    row_counter: int
    col_counter: int

    def __init__(self, source: Any, shared_strings: Any, padding: dict[int, int], **settings: Any) -> None:
        super().__init__(source, shared_strings, **settings)
        self._padding = padding

    def row(self, element: Any) -> _Row:
        self.row_counter = _row_number(element.get("r"), self.row_counter)
        self.col_counter = 0
        cells: dict[int, Value] = {}
        fault = None
        for item in element.findall(CELL_TAG):
            cell = self.parse_cell(item)
            place, value = cell["column"], value_of(cell["value"])
            if cell["data_type"] == "e":
                fault = fault or (
                    "cell_error",
                    place,
                    f"the cell holds the error {shorten(str(value), MOST_OF_A_CELL)}",
                )
            elif value is None and item.get("t", "n") != "str" and item.find(FORMULA_TAG) is not None:
                value = f"={item.findtext(FORMULA_TAG) or ''}"
                fault = fault or ("formula_without_value", place, "the formula was saved without its value")
            elif isinstance(value, str) and "_x" in value:
                try:
                    value = decoded(value)
                except NoText as error:
                    fault = fault or (error.reason, place, error.detail)
            elif (digits := self._padding.get(cell["style_id"])) and isinstance(value, int | float):
                value = padded(value, digits)
            if value is not None:
                if place in cells:
                    raise _broken(f"two values for column {place} of row {self.row_counter}")
                cells[place] = value
        return _Row(self.row_counter, cells, fault)


def _row_number(written: str | None, previous: int) -> int:
    """A row's number, by default the next; some programs write 2.0. A row is known by it, so none may come again."""
    number = previous + 1 if written is None else float(written)
    if not (previous < number <= _LAST_ROW and number == int(number)):
        raise _broken(
            f"row {number if written is None else quote(written)} after row {previous}, "
            f"rows ascend from 1 to {_LAST_ROW:,}"
        )
    return int(number)


def _rows(sheet: Any) -> Iterator[_Row]:
    """The sheet's rows, as they are parsed; what follows them (formats, comments) is not looked at."""
    book = sheet.parent
    with book._archive.open(sheet._worksheet_path) as source:
        parser = _SheetParser(
            source, sheet._shared_strings, _padding_styles(book), data_only=True, epoch=book.epoch,
            date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        holder = None
        for event, element in iterparse(source, events=("start", "end")):
            if element.tag == _SHEET_DATA_TAG:
                if event == "end":
                    return
                holder = element
            elif event == "end" and element.tag == ROW_TAG:
                yield parser.row(element)
                if holder is not None:
                    holder.clear()  # or a million empty rows stay in memory


def _padding_styles(book: Any) -> dict[int, int]:
    """By the numbers of the book's styles, to how many digits those fill numbers up that are of zeros alone."""
    shown = [
        numbers.BUILTIN_FORMATS.get(style.numFmtId) or _own_format(book, style) for style in book._cell_styles
    ]
    return {place: len(form) for place, form in enumerate(shown) if _ZEROS.fullmatch(form)}


def _own_format(book: Any, style: Any) -> str:
    place = style.numFmtId - numbers.BUILTIN_FORMATS_MAX_SIZE
    return str(book._number_formats[place]) if 0 <= place < len(book._number_formats) else ""


@contextmanager
def _damage(file: BinaryIO) -> Iterator[None]:
    """Whatever openpyxl makes of a damaged file, as ReadError: it raises what its parts raise, of any class."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that hold no data
            yield
    except (GoldworksError, MemoryError):
        raise
    except Exception as error:
        file.seek(0)
        if likeness := of_start(file.read(START_BYTES), "xlsx"):
            raise ReadError(str(likeness)) from error
        if isinstance(error, zipfile.BadZipFile):
            raise _broken("its end is missing or damaged, as of a file that was cut short") from error
        message = " ".join(f"{type(error).__name__}: {error}".split())
        raise _broken(shorten(message, 300)) from error


def _broken(fault: str) -> ReadError:
    return ReadError(f"the spreadsheet is damaged: {fault}\n  nothing of it was loaded; have it sent again")


def _check_unpacked_size(file: BinaryIO, limit: int) -> None:
    """Refuses archives that grow large; none yields more than it declares, zipfile sees to that."""
    with zipfile.ZipFile(file) as archive:
        size = sum(item.file_size for item in archive.infolist())
    if size > limit:
        raise ReadError(
            f"the file has {size:,} bytes once unpacked; the limit is {limit:,}\n"
            f"  {_SMALLER.format('maxUnpackedBytes')}"
        )


def _sheet(book: Any, name: str | None) -> Any:
    sheets = book.worksheets
    if name is None:
        shown = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
        if not shown:
            raise HeaderError("all sheets of the file are hidden\n  name the sheet to read: `sheet`")
        return shown[0]
    for sheet in sheets:
        if sheet.title == name:
            return sheet
    names = quote_names(sheet.title for sheet in sheets)
    raise HeaderError(
        f"the file has no sheet {name!r}, only {names}\n  correct the file, or `sheet` in the contract"
    )


def _names(row: _Row) -> tuple[str, ...]:
    """The row's cells as names of columns."""
    return tuple(shown(row.cells.get(place)) for place in range(1, max(row.cells, default=0) + 1))
