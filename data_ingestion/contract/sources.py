"""Sources: in which files a dataset lands, and how their bytes are read: the `servers` of a contract."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.file_formats import (
    CsvFormat,
    Format,
    JsonFormat,
    JsonLinesFormat,
    ParquetFormat,
    SpreadsheetFormat,
)
from data_ingestion.contract.pattern import Pattern, faults_of
from data_ingestion.contract.settings import Given, settings_of
from data_ingestion.contract.terms import Source

_OF_CSV = frozenset({
    "encoding", "skipInitialSpace", "maxRecordBytes", "headerLine", "columnNames", "headerMatch", "repeatedHeaders",
    "quote", "escape", "commentPrefix", "skipEmptyRows", "footer",
})  # fmt: skip
# By format: what else a server may say of it.
FORMATS: dict[str, frozenset[str]] = {
    "csv": _OF_CSV | {"delimiter"},
    "tsv": _OF_CSV,
    "jsonl": frozenset({"encoding", "maxRecordBytes"}),
    "json": frozenset({"encoding", "maxRecordBytes", "records"}),
    "parquet": frozenset(),
    "xlsx": frozenset(
        {"sheet", "headerLine", "headerMatch", "repeatedHeaders", "maxFileBytes", "maxUnpackedBytes"}
    ),
}
_OF_FORMATS = frozenset().union(*FORMATS.values())
# The section of the reference on what is skipped.
_LINES = "lines-that-are-not-rows"


def read_sources(document: Document) -> tuple[list[Source], dict[str, Given]]:
    """The sources of a contract, in its order, and the settings of its first server that belong to no format.

    What concerns the landing as a whole is said once, on the first server. Faults go to the document; without a
    server there is no source.
    """
    listed = document.root.get("servers") if isinstance(document.root, dict) else None
    if not isinstance(listed, list) or not listed:
        if not document.is_faulty("servers"):
            document.add("servers", "is missing", "add it", "landing")
        return [], {}
    sources: list[Source] = []
    of_landing: dict[str, Given] = {}
    for index, server in enumerate(listed):
        place = inside("servers", index)
        if not isinstance(server, dict):
            continue
        settings = settings_of(document, server, place)
        others = {name: given for name, given in settings.items() if name not in _OF_FORMATS}
        if not index:
            of_landing = others
        for name, given in others.items() if index else ():
            remedy = "move it to the first server; it applies to all files of the dataset"
            document.add(given.place, f"'{name}' is set on another server than the first", remedy, "landing")
        source = Source(
            _pattern(document, server, place), _Server(document, server, place, settings).format()
        )
        for earlier in sources:
            if earlier.pattern == source.pattern and not document.is_faulty(inside(place, "path")):
                remedy = "keep one, or let the paths differ, say by their endings"
                document.add(inside(place, "path"), "another server has the same path", remedy, "landing")
        sources.append(source)
    return sources, of_landing


def _pattern(document: Document, server: dict[str, Value], place: str) -> Pattern:
    text = server.get("path")
    at = inside(place, "path")
    if text is None:
        remedy = "add it: the files of the dataset, relative to the landing, e.g. 'my_dataset/**/*.csv'"
        document.add(at, "is missing", remedy, "pattern")
    elif isinstance(text, str):
        for fault, remedy in faults_of(text):
            document.add(at, fault, remedy, "pattern")
    return Pattern(str(text))


class _Server:
    """What a server says of the format of its files."""

    def __init__(
        self, document: Document, server: dict[str, Value], place: str, settings: dict[str, Given]
    ) -> None:
        self.document, self.server, self.place, self.settings = document, server, place, settings

    def format(self) -> Format:
        name = self.server.get("format")
        if name is None:
            self._add("format", "is missing", f"add it: {', '.join(FORMATS)}")
        elif isinstance(name, str) and name not in FORMATS:
            self._add("format", f"'{name}' is not a format", choices(name, tuple(FORMATS)))
        if not isinstance(name, str) or name not in FORMATS:
            return CsvFormat()
        self._check_unused(name)
        make: dict[str, Callable[[], Format]] = {
            "csv": lambda: self._csv(self._delimiter()),
            "tsv": lambda: self._csv("\t"),
            "jsonl": lambda: JsonLinesFormat(
                self._encoding(), self._count("maxRecordBytes", JsonLinesFormat.max_record_bytes)
            ),
            "json": lambda: JsonFormat(
                self._encoding(),
                self._count("maxRecordBytes", JsonFormat.max_record_bytes),
                self._records(),
            ),
            "parquet": ParquetFormat,
            "xlsx": self._spreadsheet,
        }
        return make[name]()

    def _check_unused(self, name: str) -> None:
        given = {setting: self.settings[setting].place for setting in _OF_FORMATS & self.settings.keys()}
        given |= {
            setting: inside(self.place, setting)
            for setting in ("delimiter", "encoding")
            if setting in self.server
        }
        for setting, at in sorted(given.items()):
            if setting not in FORMATS[name]:
                fitting = [other for other, settings in FORMATS.items() if setting in settings]
                remedy = f"leave it out; it is for {', '.join(fitting)}"
                self.document.add(at, f"'{setting}' has no effect on {name}", remedy, "format")

    def _records(self) -> tuple[str, ...]:
        given = self.settings.get("records")
        if given is None:
            return ()
        path = tuple(str(given.value).split("."))
        if not all(path):
            remedy = "write the keys to the list of records with points between them, e.g. data.items"
            self.document.add(given.place, f"'{given.value}' has an empty key", remedy, "format")
        return path

    def _csv(self, delimiter: str) -> CsvFormat:
        quote = self._quote(delimiter)
        return CsvFormat(
            delimiter=delimiter,
            encoding=self._encoding(),
            skip_initial_space=self._skips_space(),
            max_record_bytes=self._count("maxRecordBytes", CsvFormat.max_record_bytes),
            header_line=self._header_line(),
            column_names=self._column_names(),
            relaxed_headers=self._chosen("headerMatch", "exact", "relaxed"),
            numbers_repeated_headers=self._chosen("repeatedHeaders", "refused", "numbered"),
            quote=quote,
            escape=self._escape(delimiter, quote),
            comment_prefix=self._comment_prefix(delimiter, quote),
            skip_empty_rows=self._flag("skipEmptyRows"),
            footer=self._footer(),
        )

    def _chosen(self, setting: str, usual: str, other: str) -> bool:
        """Whether a setting of two values has the one that it does not have anyway."""
        given = self.settings.get(setting)
        if given is None or not isinstance(given.value, str):
            return False
        if given.value not in (usual, other):
            fault = f"'{given.value}' is not a value of '{setting}'"
            self.document.add(given.place, fault, choices(given.value, (usual, other)), "header-names")
        elif "columnNames" in self.settings:
            fault = f"'{setting}' has no effect where 'columnNames' names the columns"
            self.document.add(given.place, fault, "leave it out: such files have no header", "header-names")
        return given.value == other

    def _quote(self, delimiter: str) -> str:
        given = self.settings.get("quote")
        if given is None or not isinstance(given.value, str):
            return CsvFormat.quote
        if given.value == "none":
            return ""
        remedy = 'write the character around cells, e.g. "\'", or none where quotes are text like any other'
        self._check_mark(given, "quote", {delimiter: "the delimiter"}, remedy)
        return given.value

    def _escape(self, delimiter: str, quote: str) -> str:
        given = self.settings.get("escape")
        if given is None or not isinstance(given.value, str):
            return ""
        remedy = "write the character that makes the next one text, e.g. '\\'; that of quotes by doubling needs none"
        self._check_mark(given, "escape", {delimiter: "the delimiter", quote: "the quote"}, remedy)
        return given.value

    def _check_mark(self, given: Given, noun: str, taken: dict[str, str], remedy: str) -> None:
        """Adds a fault unless a setting is one character that can stand for nothing else."""
        mark = str(given.value)
        if len(mark) != 1 or not mark.isascii() or not mark.isprintable() or mark.isalnum() or mark == " ":
            self.document.add(given.place, f"{mark!r} is not a character for '{noun}'", remedy, "quotes")
        elif mark in taken:
            self.document.add(given.place, f"{mark!r} is {taken[mark]} already", remedy, "quotes")

    def _comment_prefix(self, delimiter: str, quote: str) -> str:
        given = self.settings.get("commentPrefix")
        if given is None or not isinstance(given.value, str):
            return ""
        prefix = given.value
        remedy = "write what its comments begin with, e.g. '#', '--' or '//'"
        if not prefix.strip() or len(prefix.splitlines()) > 1 or not prefix.isprintable():
            self.document.add(given.place, f"{prefix!r} is not the beginning of a comment", remedy, _LINES)
        elif prefix[0].isalnum() or prefix[0] in (delimiter, quote) or prefix in ("-", "+", "."):
            fault = f"'{prefix}' may begin a row as well, which would be lost"
            self.document.add(given.place, fault, remedy, _LINES)
        return prefix

    def _footer(self) -> tuple[str, ...]:
        given = self.settings.get("footer")
        lines = tuple(map(str, given.value)) if given and isinstance(given.value, list) else ()
        remedy = "write what each of the last lines looks like, with '*' for any text, e.g. 'Total,*'"
        if given and not lines:
            self.document.add(given.place, "the list is empty", remedy, _LINES)
        for index, line in enumerate(lines):
            place = inside(given.place, index) if given else ""
            if not any(sign.isalnum() for sign in line) or len(line.splitlines()) > 1:
                fault = f"'{line}' does not tell a footer from a row"
                self.document.add(place, fault, remedy, _LINES)
            elif line != line.strip():
                fault = f"'{line}' has blanks around it"
                self.document.add(place, fault, "write it without them; they are not compared", _LINES)
        return lines

    def _header_line(self) -> int:
        given = self.settings.get("headerLine")
        if given is None or not isinstance(given.value, int):
            return 1
        if given.value == 0:
            remedy = (
                "write 1 for the first line; of files without a header, name their columns in 'columnNames'"
            )
            self.document.add(given.place, "lines are counted from 1", remedy, "header-line")
        return given.value

    def _column_names(self) -> tuple[str, ...]:
        given = self.settings.get("columnNames")
        names = tuple(map(str, given.value)) if given and isinstance(given.value, list) else ()
        if given and not names:
            self.document.add(
                given.place, "the list is empty", "name each column of the file, in its order", "header-line"
            )
        return names

    def _skips_space(self) -> bool:
        return self._flag("skipInitialSpace")

    def _flag(self, setting: str) -> bool:
        given = self.settings.get(setting)
        return given is not None and given.value is True

    def _delimiter(self) -> str:
        delimiter = self.server.get("delimiter")
        if not isinstance(delimiter, str):
            return CsvFormat.delimiter
        forbidden = '"\r\n\0 ' if self._skips_space() else '"\r\n\0'
        if len(delimiter) != 1 or delimiter in forbidden or not delimiter.isascii():
            self._add(
                "delimiter",
                f"{delimiter!r} is not a delimiter",
                "write one character, e.g. ',' or ';'; with tabs the format is tsv",
            )
        return delimiter

    def _encoding(self) -> str:
        encoding = self.server.get("encoding")
        if not isinstance(encoding, str):
            return CsvFormat.encoding
        if not _is_text_encoding(encoding):
            remedy = choices(encoding, ("utf-8", "utf-16", "windows-1252", "iso-8859-1"))
            self._add("encoding", f"'{encoding}' is not an encoding", remedy)
        return encoding.lower()

    def _spreadsheet(self) -> SpreadsheetFormat:
        sheet = self.settings.get("sheet")
        return SpreadsheetFormat(
            str(sheet.value) if sheet else None,
            self._header_line(),
            self._chosen("headerMatch", "exact", "relaxed"),
            self._chosen("repeatedHeaders", "refused", "numbered"),
            self._count("maxFileBytes", SpreadsheetFormat.max_file_bytes),
            self._count("maxUnpackedBytes", SpreadsheetFormat.max_unpacked_bytes),
        )

    def _count(self, setting: str, default: int) -> int:
        given = self.settings.get(setting)
        if given is None or not isinstance(given.value, int):
            return default
        if given.value == 0:
            noun = "record" if setting == "maxRecordBytes" else "file"
            self.document.add(given.place, f"no {noun} has 0 bytes", "write at least 1", "format")
        return given.value

    def _add(self, name: str, fault: str, remedy: str) -> None:
        self.document.add(inside(self.place, name), fault, remedy, "format")


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)  # refuses codecs that are not of text, such as base64
        return codecs.lookup(name).incrementaldecoder is not None
    except (LookupError, UnicodeError, ValueError):
        return False
