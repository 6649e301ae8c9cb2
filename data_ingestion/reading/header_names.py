"""Header names: a file's header in the spelling of its contract, where the contract says that spelling is not exact."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from data_ingestion.contract.file_formats import CsvFormat, SpreadsheetFormat
from data_ingestion.contract.names import spelling


def in_contract_spelling(
    header: Sequence[str], form: CsvFormat | SpreadsheetFormat, known: Collection[str]
) -> tuple[str, ...]:
    """The names of a header as the contract has them, so far as its format lets them differ.

    With `numbers_repeated_headers` the second of the same name is `name (2)`, whatever that name is. With
    `relaxed_headers` a name that is not of the contract is taken for the one that is spelt alike. Two names of a file
    for one of the contract stay two: they are refused as any repeated header is.
    """
    if form.numbers_repeated_headers:
        header = _numbered(header, form.relaxed_headers)
    if form.relaxed_headers:
        by_spelling = {spelling(name): name for name in known if spelling(name)}
        header = [name if name in known else by_spelling.get(spelling(name), name) for name in header]
    return tuple(header)


def _numbered(header: Sequence[str], relaxed: bool) -> list[str]:
    times: Counter[str] = Counter()
    names = []
    for name in header:
        same = (spelling(name) or name) if relaxed else name
        times[same] += 1
        names.append(f"{name} ({times[same]})" if times[same] > 1 and name else name)
    return names
