"""Sources: in which files a dataset lands, and how their bytes are read: the `servers` of a contract."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from data_ingestion.contract.document import Document, Value, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.pattern import Pattern, faults_of
from data_ingestion.contract.settings import Given, settings_of
from data_ingestion.contract.terms import (
    CsvFormat,
    Format,
    JsonLinesFormat,
    ParquetFormat,
    Source,
    SpreadsheetFormat,
)

# By format: what else a server may say of it.
FORMATS: dict[str, frozenset[str]] = {
    "csv": frozenset({"delimiter", "encoding", "skipInitialSpace", "maxRecordBytes"}),
    "tsv": frozenset({"encoding", "skipInitialSpace", "maxRecordBytes"}),
    "jsonl": frozenset({"encoding", "maxRecordBytes"}),
    "parquet": frozenset(),
    "xlsx": frozenset({"sheet", "maxFileBytes", "maxUnpackedBytes"}),
}
_OF_FORMATS = frozenset().union(*FORMATS.values())


def read_sources(document: Document) -> tuple[list[Source], dict[str, Given]]:
    """The sources of a contract, in its order, and the settings of its first server that are no format's.

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
            remedy = "move it to the first server; it holds for all files of the dataset"
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
            self._add("format", f"'{name}' is no format", choices(name, tuple(FORMATS)))
        if not isinstance(name, str) or name not in FORMATS:
            return CsvFormat()
        self._judge_unused(name)
        make: dict[str, Callable[[], Format]] = {
            "csv": lambda: self._csv(self._delimiter()),
            "tsv": lambda: self._csv("\t"),
            "jsonl": lambda: JsonLinesFormat(
                self._encoding(), self._count("maxRecordBytes", JsonLinesFormat.max_record_bytes)
            ),
            "parquet": ParquetFormat,
            "xlsx": self._spreadsheet,
        }
        return make[name]()

    def _judge_unused(self, name: str) -> None:
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
                self.document.add(at, f"'{setting}' means nothing to {name}", remedy, "format")

    def _csv(self, delimiter: str) -> CsvFormat:
        return CsvFormat(
            delimiter=delimiter,
            encoding=self._encoding(),
            skip_initial_space=self._skips_space(),
            max_record_bytes=self._count("maxRecordBytes", CsvFormat.max_record_bytes),
        )

    def _skips_space(self) -> bool:
        space = self.settings.get("skipInitialSpace")
        return space is not None and space.value is True

    def _delimiter(self) -> str:
        delimiter = self.server.get("delimiter")
        if not isinstance(delimiter, str):
            return CsvFormat.delimiter
        forbidden = '"\r\n\0 ' if self._skips_space() else '"\r\n\0'
        if len(delimiter) != 1 or delimiter in forbidden or not delimiter.isascii():
            self._add(
                "delimiter",
                f"{delimiter!r} is no delimiter",
                "write one character, e.g. ',' or ';'; with tabs the format is tsv",
            )
        return delimiter

    def _encoding(self) -> str:
        encoding = self.server.get("encoding")
        if not isinstance(encoding, str):
            return CsvFormat.encoding
        if not _is_text_encoding(encoding):
            remedy = choices(encoding, ("utf-8", "utf-16", "windows-1252", "iso-8859-1"))
            self._add("encoding", f"'{encoding}' is no encoding", remedy)
        return encoding.lower()

    def _spreadsheet(self) -> SpreadsheetFormat:
        sheet = self.settings.get("sheet")
        return SpreadsheetFormat(
            str(sheet.value) if sheet else None,
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
