"""Files of the lake: what goes into each, how it is called, and which are worth putting together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from data_ingestion.contract.pattern import start_of
from data_ingestion.landing import LandingObject

# What one round archives at most: its files become true together.
ROUND_DROPS, ROUND_BYTES = 20_000, 512 << 20
# Files of this size or more are not compacted.
LARGE_BYTES = 256 << 20
# So many small files the newest day may gather before a patient compaction rewrites it.
MOST_OF_TODAY = 12


@dataclass(frozen=True)
class DropVersion:
    """What a load made of a drop: bytes by their hash, and the objects that hold them, that of its rank first.

    `is_archived` says that the newest version of the drop in the lake has these bytes.
    """

    drop_id: int
    load_id: int
    sha256: bytes
    size: int
    fingerprint: str
    kind: str
    period: str
    delivered_at: datetime
    records: int
    is_archived: bool
    holders: tuple[LandingObject, ...]

    @property
    def date(self) -> date:
        """The day it is filed under: the first of its period."""
        return start_of(self.period).date()


@dataclass(frozen=True)
class LakeFile:
    """A file of the lake. `first_load` and `last_load` are the ends of the range of loads that it was made for."""

    file_id: int
    dataset: str
    date: date
    first_load: int
    last_load: int
    drops: int = 0
    records: int = 0
    size: int = 0

    @property
    def path(self) -> str:
        """Its key in the lake. The id makes it the name of this attempt alone, whoever else was cut off at it."""
        name = f"loads-{self.first_load}-{self.last_load}-{self.file_id}.parquet"
        return f"{partition(self.dataset, self.date)}{name}"


@dataclass(frozen=True)
class Archived:
    """A version of a drop as it went into the lake; without a file, if no object still held its bytes."""

    version: DropVersion
    object_key: str
    file_id: int | None
    records: int | None


def partition(dataset: str, day: date) -> str:
    """The folder of a dataset's day, named as Hive does: engines read both columns out of it."""
    return f"dataset={dataset}/date={day.isoformat()}/"


def cut_round(versions: Iterable[DropVersion]) -> list[DropVersion]:
    """The first of the versions, as many as a round takes; at least one."""
    taken: list[DropVersion] = []
    size = 0
    for version in versions:
        size += version.size
        if taken and (size > ROUND_BYTES or len(taken) == ROUND_DROPS):
            break
        taken.append(version)
    return taken


def by_date(versions: Iterable[DropVersion]) -> list[tuple[date, list[DropVersion]]]:
    """The versions of each day, in the order of their loads: what makes a file."""
    in_order = sorted(versions, key=lambda version: (version.date, version.load_id))
    return [(day, list(group)) for day, group in groupby(in_order, key=lambda version: version.date)]


def worth_compacting(files: Sequence[LakeFile], *, patient: bool) -> Iterator[list[LakeFile]]:
    """Files of one dataset to put together, each list into one, none of them across days.

    Patience leaves the newest day alone until it has many, so that a day that is still growing is not rewritten
    with every run.
    """
    newest = max((file.date for file in files), default=None)
    small = sorted(
        (file for file in files if file.size < LARGE_BYTES), key=lambda file: (file.date, file.first_load)
    )
    for day, group in groupby(small, key=lambda file: file.date):
        together = list(group)
        if patient and day == newest and len(together) < MOST_OF_TODAY:
            continue
        part: list[LakeFile] = []
        for file in together:
            if part and sum(other.size for other in part) + file.size > LARGE_BYTES:
                if len(part) > 1:
                    yield part
                part = []
            part.append(file)
        if len(part) > 1:
            yield part
