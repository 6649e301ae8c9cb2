"""Pattern: which objects of the landing belong to a dataset, and which period each speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

PARTS = ("YYYY", "MM", "DD", "hh", "mm", "ss")
# What a column may take from any path, beside the parts that a pattern names.
OF_THE_FILE = ("name", "stem", "path", "period")
_PARTS_REMEDY = "the date parts are {YYYY} {MM} {DD} {hh} {mm} {ss}, from the year down to the second"
# A period, by how many of the parts it has.
_FORMS = (
    "", "%04d", "%04d-%02d", "%04d-%02d-%02d",
    "%04d-%02d-%02dT%02d", "%04d-%02d-%02dT%02d:%02d", "%04d-%02d-%02dT%02d:%02d:%02d",
)  # fmt: skip
_TOKEN = re.compile(r"\{(?P<part>[^{}/]*)\}|(?P<wildcard>\*+)|(?P<literal>[^{}*]+|[{}])")


# What a part may be called that a column takes its values from.
_NAMED_PART = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True)
class Match:
    """An object that belongs to the dataset; `period` sorts by time, '' when the pattern has no dates.

    `parts` are the pattern's named parts, each with its text.
    """

    period: str
    parts: tuple[tuple[str, str], ...] = ()


class Reach(IntEnum):
    """What a folder can hold of a dataset, of periods from a certain moment on; greater is more."""

    NONE = 0  # nothing
    OLD = 1  # only what is older
    SOME = 2  # both, and its folders distinguish them
    ALL = 3  # only what is not older, or its folders don't say


@dataclass(frozen=True)
class Pattern:
    """A path relative to the landing, with `*`, `**` and date parts, in which `faults_of` finds nothing."""

    text: str

    def match(self, key: str) -> Match | None:
        """The match of an object key, or None; dates that no calendar has (31 June) do not match."""
        if not key.startswith(self.prefix):  # most objects are of other datasets
            return None
        found = self._expression.fullmatch(key)
        if found is None:
            return None
        named = found.groupdict() if self.names else {}
        numbers = [*map(int, found.groups() if not named else _unnamed(found))]
        if any(numbers[place] != numbers[first] for place, first in self._repeated):
            return None
        in_order = [numbers[place] for place in self._places]
        if not _is_on_the_calendar(in_order):
            return None
        return Match(_period(in_order), tuple(named.items()))

    def reach(self, folder: str, since: str = "") -> Reach:
        """What may lie at any depth under a folder (with its slash; '' for the landing) of periods from `since` on.

        What it denies is not there: each key that matches with such a period makes every folder above it `SOME` or
        `ALL`. `since` is a moment to the second in the form of a period; '' for all periods.
        """
        found = Reach.NONE
        names = tuple(folder.split("/")[:-1])
        for values, below in self._readings(names, 0, {}):
            found = max(found, _reach(values, below, since))
        return found

    def _readings(
        self, names: tuple[str, ...], at: int, values: dict[str, int]
    ) -> Iterator[tuple[dict[str, int], tuple[str, ...]]]:
        """Each way to read folders as the pattern's first ones: date parts so far, and the pattern's folders below."""
        if not names:
            yield values, self._folders[at:]
            return
        if at == len(self._folders):
            return
        expression = self._folder_expressions[at]
        if expression is None:
            yield from self._readings(names, at + 1, values)
            yield from self._readings(names[1:], at, values)
        elif found := expression.fullmatch(names[0]):
            parts = _date_parts(self._folders[at])
            found_parts = [(part, int(text)) for part, text in zip(parts, found.groups(), strict=True)]
            together = {**values, **dict(found_parts)}
            if all(together[part] == number for part, number in [*values.items(), *found_parts]):
                yield from self._readings(names[1:], at + 1, together)

    @property
    def precision(self) -> int:
        """How many parts a period has, from the year down to the second; 0 where the text has no dates."""
        return len(self._places)

    @cached_property
    def _folders(self) -> tuple[str, ...]:
        return tuple(self.text.split("/")[:-1])

    @cached_property
    def _folder_expressions(self) -> tuple[re.Pattern[str] | None, ...]:
        """What each of the pattern's folders matches; None for `**`, which is any number of them."""
        return tuple(
            None if folder == "**" else re.compile(_expression(folder, named=False))
            for folder in self._folders
        )

    @cached_property
    def prefix(self) -> str:
        """The longest folder that every matching key lies in, with its slash; '' for the landing itself."""
        literal = re.split(r"[*{]", self.text, maxsplit=1)[0]
        return literal[: literal.rfind("/") + 1]

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        packed = "" if self.text.endswith(".gz") else r"(?:\.gz)?"
        return re.compile(_expression(self.text) + packed)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parts that columns may take their values from, each once."""
        return tuple(dict.fromkeys(part for part in _all_parts(self.text) if part not in PARTS))

    @cached_property
    def _parts(self) -> tuple[str, ...]:
        return tuple(_date_parts(self.text))

    @cached_property
    def _places(self) -> tuple[int, ...]:
        """Where each date part stands first among those of the text, from the year down."""
        return tuple(self._parts.index(part) for part in PARTS if part in self._parts)

    @cached_property
    def _repeated(self) -> tuple[tuple[int, int], ...]:
        """Where a date part stands again, and where it stood first."""
        firsts = enumerate(map(self._parts.index, self._parts))
        return tuple((place, first) for place, first in firsts if place != first)


def is_part_name(text: str) -> bool:
    """Whether a part of a pattern may be called so, to be taken by a column."""
    return bool(_NAMED_PART.fullmatch(text)) and text not in (*PARTS, *OF_THE_FILE)


def start_of(period: str) -> datetime:
    """The first moment of a period."""
    return datetime.fromisoformat(period + "0001-01-01T00:00:00+00:00"[len(period) :])


def faults_of(text: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a pattern, as (fault, remedy)."""
    if not text:
        yield "the pattern is empty", "name the files, e.g. 'my_dataset/**/*.csv'"
        return
    if "://" in text or text.startswith("/"):
        yield (
            f"'{text}' is absolute",
            "write the path relative to the landing, whose place is a setting of the platform",
        )
        return
    if unwelcome := sorted(
        {character for character in text if character in "\\?[]" or not character.isprintable()}
    ):
        yield (
            f"{', '.join(map(repr, unwelcome))} has no meaning in a pattern",
            "use '*' for any text within a folder, '**' for any folders, '/' between folders",
        )
    segments = text.split("/")
    if ".." in segments or "." in segments:
        yield (
            "'.' and '..' are not allowed in a path",
            "write out the folders, relative to the landing",
        )
    if "" in segments:
        yield "it has an empty folder or file name", "write one '/' between names and none at the end"
    for segment in segments:
        if "**" in segment and segment != "**":
            yield f"'{segment}' mixes '**' with text", "write '**' alone between slashes, or use '*'"
    if segments[-1] == "**":
        yield "it ends with '**', which matches folders", "say which files: '**/*.csv'"
    yield from _faults_of_parts(text)


def _faults_of_parts(text: str) -> Iterator[tuple[str, str]]:
    parts = []
    tokens = list(_TOKEN.finditer(text))
    for before, after in pairwise(tokens):
        is_named = any(one["part"] not in (None, *PARTS) for one in (before, after))
        if is_named and not (before["literal"] or after["literal"]):
            yield (
                f"'{before[0]}' and '{after[0]}' touch, so nothing says where one ends",
                "put a text or a folder between them",
            )
    for token in tokens:
        part = token["part"]
        if part is not None and part not in PARTS and not _NAMED_PART.fullmatch(part):
            yield f"'{{{part}}}' is not a date part", _PARTS_REMEDY
        elif part is not None and part in OF_THE_FILE:
            yield (
                f"'{{{part}}}' is what every path has",
                f"write '*', and take it by 'fromPath: {part}', or give the part another name",
            )
        elif part is not None and part not in PARTS:
            continue
        elif token["literal"] in ("{", "}"):
            yield "a brace stands alone", _PARTS_REMEDY
        elif part is not None:
            parts.append(part)
    needed = PARTS[: max((PARTS.index(part) + 1 for part in parts), default=0)]
    if missing := [f"{{{part}}}" for part in needed if part not in parts]:
        yield (
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing beside {{{needed[-1]}}}",
            "a period starts with the year; add what is missing or use '*'",
        )


def _all_parts(text: str) -> list[str]:
    return [token["part"] for token in _TOKEN.finditer(text) if token["part"]]


def _date_parts(text: str) -> list[str]:
    return [part for part in _all_parts(text) if part in PARTS]


def _unnamed(found: re.Match[str]) -> list[str]:
    """The groups of a match that have no name: date parts."""
    named = set(found.re.groupindex.values())
    return [text for place, text in enumerate(found.groups(), 1) if place not in named]


def _expression(text: str, *, named: bool = True) -> str:
    """The regular expression of a sound pattern. With `named`, its named parts are groups of their names.

    Numbers may be unpadded, so a date part takes one or two digits where something else bounds it, and exactly
    two beside another date part or a digit, where only the width distinguishes them.
    """
    tokens = list(_TOKEN.finditer(text))
    pieces: list[str] = []
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else None
        after = tokens[index + 1] if index + 1 < len(tokens) else None
        part = token["part"]
        if part and part not in PARTS:
            is_again = named and f"(?P<{part}>" in "".join(pieces)
            pieces.append(f"(?P={part})" if is_again else f"(?P<{part}>[^/]+?)" if named else "[^/]+?")
        elif part:
            bounded = not _is_number(before, at_end=True) and not _is_number(after, at_end=False)
            digits = "([0-9]{4})" if part == "YYYY" else "([0-9]{1,2})" if bounded else "([0-9]{2})"
            pieces.append(f"(?<![0-9]){digits}(?![0-9])" if bounded else digits)
        elif token["wildcard"]:
            pieces.append("[^/]*" if token["wildcard"] == "*" else "**")
        else:
            pieces.append(re.escape(token["literal"]))
    return "".join(pieces).replace("**/", "(?:[^/]+/)*")


def _reach(values: dict[str, int], below: tuple[str, ...], since: str) -> Reach:
    in_order = []
    for part in PARTS:
        if part not in values:
            break
        in_order.append(values[part])
    period = _period(in_order)
    if period < since[: len(period)]:
        return Reach.OLD
    if not since or period > since[: len(period)]:
        return Reach.ALL
    # Behind `**` no folder has a fixed place, so none can be known to be old.
    fixed = below[: below.index("**")] if "**" in below else below
    return Reach.SOME if any(_date_parts(folder) for folder in fixed) else Reach.ALL


def _is_number(token: re.Match[str] | None, at_end: bool) -> bool:
    if token is None or token["wildcard"]:
        return False
    if token["part"]:
        return True
    return token["literal"][-1 if at_end else 0] in "0123456789"


def _period(values: list[int]) -> str:
    return _FORMS[len(values)] % tuple(values)


def _is_on_the_calendar(values: list[int]) -> bool:
    if not values:
        return True
    smallest = [1, 1, 1, 0, 0, 0]
    try:
        datetime(*(values + smallest[len(values) :]))  # type: ignore[arg-type]
    except ValueError:
        return False
    return True
