"""Path parts: what a contract says of columns whose values stand in an object's path instead of the file, checked."""

from __future__ import annotations

from collections.abc import Sequence

from data_ingestion.contract.document import Document, inside
from data_ingestion.contract.faults import choices
from data_ingestion.contract.pattern import OF_THE_FILE
from data_ingestion.contract.settings import Given
from data_ingestion.contract.terms import Column, Source

ANCHOR = "columns-from-the-path"
# Settings of a column that say how it is found in a file.
_OF_A_FILE = ("headers", "mayBeAbsent", "fillDown")


def header_of(column: str) -> str:
    """The header under which readers add the values of a column that comes from the path: no file has such a one."""
    return f"{{{column}}}"


def check_setting(document: Document, place: str, settings: dict[str, Given], has_header: bool) -> str:
    """The part that a column takes its values from; '' where they stand in the file."""
    given = settings.get("fromPath")
    if given is None or not isinstance(given.value, str):
        return ""
    for name in _OF_A_FILE:
        if name in settings:
            fault = f"'{name}' is about a column of the file, and 'fromPath' takes this one from the path"
            document.add(settings[name].place, fault, "keep one of them", ANCHOR)
    if has_header:
        fault = "the column has a header, and 'fromPath' takes it from the path"
        document.add(inside(place, "physicalName"), fault, "keep one of them", ANCHOR)
    if given.value == "period" and "formats" in settings:
        fault = "a period is written in one way, whatever the path looks like"
        document.add(settings["formats"].place, fault, "leave 'formats' out", ANCHOR)
    return given.value


def check_parts(document: Document, sources: Sequence[Source], columns: Sequence[tuple[Column, str]]) -> None:
    """Every part that a column asks for is in each pattern, and every part of a pattern is asked for.

    `columns` come with their places.
    """
    wanted = {column.from_path for column, _ in columns if column.from_path}
    for column, place in columns:
        if not column.from_path:
            continue
        lacking = [source.pattern for source in sources if not _has(source, column.from_path)]
        if lacking and column.from_path == "period":
            remedy = "add date parts such as {YYYY}-{MM} to it, or take another part"
            document.add(place, f"'{lacking[0].text}' has no period", remedy, ANCHOR)
        elif lacking:
            known = [*lacking[0].names, *OF_THE_FILE]
            remedy = f"write '{{{column.from_path}}}' where it stands in the path; {choices(column.from_path, known)}"
            document.add(place, f"'{lacking[0].text}' has no part '{column.from_path}'", remedy, ANCHOR)
    for index, source in enumerate(sources):
        at = inside(inside("servers", index), "path")
        for name in source.pattern.names:
            if name not in wanted and not document.is_faulty(at):
                fault = f"'{{{name}}}' is not a date part, and no column has 'fromPath: {name}'"
                remedy = (
                    "the date parts are {YYYY} {MM} {DD} {hh} {mm} {ss}; write '*' for what no column needs"
                )
                document.add(at, fault, remedy, ANCHOR)


def _has(source: Source, part: str) -> bool:
    if part == "period":
        return source.pattern.precision > 0
    return part in OF_THE_FILE or part in source.pattern.names
