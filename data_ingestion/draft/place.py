"""Place: what a dataset is called, and which keys its files have, by the names of some of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePath

from data_ingestion.contract.pattern import is_part_name
from data_ingestion.draft.infer import name_of

DATE = re.compile(
    r"(?<!\d)(?:19|20)\d\d(?P<mark>[-_.]?)(?:0[1-9]|1[0-2])(?P<day>(?P=mark)(?:0[1-9]|[12]\d|3[01]))?(?!\d)"
)
PACKED = (".gz", ".zip", ".zst")


def dataset_of(files: Sequence[PurePath]) -> str:
    """What the names have in common, without their dates; of names that are dates alone, that of their folder."""
    stems = [DATE.sub("", file.name.partition(".")[0]) for file in files]
    common = _common_start(stems)
    kept = next(
        (text for text in (common, stems[0], files[0].parent.name) if name_of(text) != "column"), "dataset"
    )
    return name_of(kept)


def hive_parts(folders: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The end of a path whose folders are called `store=rome`, as a pattern, and the text of each of its parts."""
    pattern: list[str] = []
    parts: dict[str, str] = {}
    for folder in reversed(folders):
        name, is_hive, text = folder.partition("=")
        if not is_hive:
            break
        if text and name not in parts and is_part_name(name):
            parts[name] = text
            pattern.append(f"{name}={{{name}}}")
        else:
            pattern.append("*")
    return "".join(f"{folder}/" for folder in reversed(pattern)), dict(reversed(parts.items()))


def parts_of(files: Sequence[Path]) -> tuple[str, dict[str, str]]:
    """The folders called `store=rome` that all files lie in, as a pattern, and what the first has for each part."""
    found = [hive_parts(file.resolve().parent.parts) for file in files]
    return found[0] if len({folders for folders, _ in found}) == 1 else ("", {})


def path_of(files: Sequence[PurePath], dataset: str, folders: str = "") -> str:
    """The pattern of keys in a folder of the dataset: with the period where all names have a date in the same form."""
    below = f"{dataset}/{folders or '**/'}"
    dates = {_form_of(date) if (date := _last_date(file.name)) else "" for file in files}
    endings = {_ending(file.name) for file in files}
    ending = endings.pop() if len(endings) == 1 else ""
    if len(dates) > 1 or not (form := dates.pop()):
        return f"{below}*{ending}"
    shapes = {_with_period(file.name, form) for file in files}
    if len(shapes) == 1 and re.fullmatch(r"[^*?\[\]\\]+", name := shapes.pop()):
        return f"{below}{name.removesuffix('.gz')}"
    return f"{below}*{form}*{ending}"


def _common_start(texts: Sequence[str]) -> str:
    alike = takewhile(lambda signs: len(set(signs)) == 1, zip(*texts, strict=False))
    return "".join(signs[0] for signs in alike)


def _last_date(name: str) -> re.Match[str] | None:
    return max(DATE.finditer(name), key=lambda found: found.start(), default=None)


def _form_of(date: re.Match[str]) -> str:
    mark = date["mark"]
    return f"{{YYYY}}{mark}{{MM}}" + (f"{mark}{{DD}}" if date["day"] else "")


def _with_period(name: str, form: str) -> str:
    date = _last_date(name)
    return name if date is None else f"{name[: date.start()]}{form}{name[date.end() :]}"


def _ending(name: str) -> str:
    """With what it is packed by; `.gz` is understood at the end of any key."""
    endings = PurePath(name).suffixes
    packed = endings[-1:] if endings and endings[-1] in PACKED else []
    return "".join(
        (*endings[-1 - len(packed) : len(endings) - len(packed)], *(one for one in packed if one != ".gz"))
    )
