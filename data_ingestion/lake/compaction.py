"""Compaction: the small files of a day put together into one. The big one is written, then becomes part of the lake by
the commit that ends the small ones, then those are deleted: no row is ever missing, and what a killed run leaves
doubled, the next one corrects."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from data_ingestion.errors import GoldworksError, ObjectChanged, OperatorFault
from data_ingestion.events import step
from data_ingestion.lake.archive import tidy
from data_ingestion.lake.files import LakeFile, worth_compacting
from data_ingestion.landing import Landing

if TYPE_CHECKING:
    from data_ingestion.lake.ledger import LakeLedger


@dataclass(frozen=True)
class CompactionReport:
    """What a compaction has made of a dataset's files."""

    dataset: str
    files_before: int = 0
    files_after: int = 0
    records: int = 0
    seconds: float = 0.0


def compact(dataset: str, lake: Landing, ledger: LakeLedger, *, patient: bool = False) -> CompactionReport:
    """Puts the small files of each day together; with patience not those of a day that is still growing."""
    started = time.monotonic()
    with step("compact", dataset=dataset) as facts, ledger.exclusive(dataset):
        tidy(dataset, lake, ledger)
        before = ledger.files(dataset)
        groups = list(worth_compacting(before, patient=patient))
        for group in groups:
            _join(group, lake, ledger)
        after = len(before) - sum(len(group) - 1 for group in groups)
        records = sum(file.records for group in groups for file in group)
        facts |= {"files_before": len(before), "files_after": after, "records": records}
    return CompactionReport(
        dataset, len(before), after, records, time.monotonic() - started
    )  # fmt: skip


def _join(group: Sequence[LakeFile], lake: Landing, ledger: LakeLedger) -> None:
    """Puts files of one day together."""
    from data_ingestion.lake.records import join_files

    first, last = min(file.first_load for file in group), max(file.last_load for file in group)
    (file,) = ledger.announce([LakeFile(0, group[0].dataset, group[0].date, first, last)])
    records = sum(each.records for each in group)
    try:
        joined, size = join_files(_contents(group, lake), records)
        with joined.content as content:
            lake.write(file.path, content)
        drops = sum(each.drops for each in group)
        ledger.record_joined(group, replace(file, drops=drops, records=records, size=size))
    except BaseException:
        if not ledger.is_lost:
            with suppress(GoldworksError):
                tidy(file.dataset, lake, ledger)
        raise
    tidy(file.dataset, lake, ledger)


def _contents(group: Sequence[LakeFile], lake: Landing) -> Iterator[BinaryIO]:
    """One file after the other: a day may have more of them than a process may have open."""
    for each in group:
        with _fetch(lake, each) as content:
            yield content


def _fetch(lake: Landing, file: LakeFile) -> BinaryIO:
    """A file of the lake, on disk: Parquet is read from its end."""
    content = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - whoever asked closes it
    try:
        seen = lake.look(file.path)
        if seen is None:
            raise OperatorFault(
                f"{lake.url}/{file.path}: missing, although the ledger lists it\n"
                "  restore it: only `goldworks archive` may remove files from the lake"
            )
        with lake.open(seen) as source:
            while data := source.read(1 << 20):
                content.write(data)
        content.seek(0)
    except ObjectChanged as error:
        raise OperatorFault(f"{error}\n  only `goldworks archive` may write to the lake") from error
    return content
