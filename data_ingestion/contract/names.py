"""Names: which identifiers a contract may give to things that become tables, columns and folders."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 63  # bytes of an identifier in Postgres
TEXT = "__text"
# The longest thing that the platform makes of a dataset's name is a view of bronze.
DATASET_AFFIXES = len("stg_" + "__changes")

# Columns that every table of Postgres has already.
_SYSTEM_COLUMNS = {"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"}

Finding = tuple[str, str]  # fault, remedy


def faults_of_name(name: str, kind: str, room: int = 0) -> Iterator[Finding]:
    """What is wrong with an identifier that must leave `room` bytes for a suffix."""
    if name.startswith("_"):
        yield f"'{name}' starts with '_' as the loader's own columns do", "drop the underscore"
    elif not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        near = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
        near = near if re.match("[a-z]", near) else f"{kind}_{near}".rstrip("_")
        yield (
            f"'{name}' is not a valid name for a {kind}",
            f"use lower-case letters, digits and '_', e.g. '{near}'",
        )
    if len(name) > LONGEST - room:
        yield f"the name is {len(name)} characters long", f"shorten it to {LONGEST - room}"


def faults_of_dataset(name: str) -> Iterator[Finding]:
    """What is wrong with the name of a dataset, which becomes tables of raw, views of bronze and files."""
    yield from faults_of_name(name, "dataset", room=DATASET_AFFIXES)
    if "__" in name.lstrip("_"):
        fault = f"'{name}' holds '__', as only names do that the platform makes (such as {name}__history)"
        yield fault, f"use single underscores: '{re.sub('__+', '_', name)}'"


def faults_of_column(name: str, keep_text: bool) -> Iterator[Finding]:
    """What is wrong with the name of a column of raw."""
    yield from faults_of_name(name, "column", room=len(TEXT) if keep_text else 0)
    if name.endswith(TEXT):
        yield (
            f"'{name}' ends with '{TEXT}', where the loader stores the text of another column",
            "name it otherwise",
        )
    if name in _SYSTEM_COLUMNS:
        yield f"'{name}' is a column that Postgres adds to every table", "name it otherwise"


def spelling(name: str) -> str:
    """A name without what people don't notice in it."""
    return re.sub(r"[\s_-]+", "", name.casefold())
