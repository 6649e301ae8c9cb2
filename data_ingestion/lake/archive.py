"""Archive: what was loaded since the last time, copied from the landing into the lake, each version of a drop once.

A file is announced in the ledger before it is written, and counts from the commit that says so. Of what was cut off
between the two, the next run removes the file and archives its drops again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, cast

from data_ingestion.contract import Contract
from data_ingestion.errors import GoldworksError, LawBroken, ObjectChanged
from data_ingestion.events import step
from data_ingestion.grouping import SMALL_BYTES
from data_ingestion.lake.files import Archived, DropVersion, LakeFile, by_date, cut_round
from data_ingestion.landing import Landing
from data_ingestion.ledger.model import same_bytes

if TYPE_CHECKING:
    from data_ingestion.lake.ledger import LakeLedger
    from data_ingestion.lake.records import RecordsFile

# Drops that are fetched while one is written: a bucket answers each after milliseconds.
AHEAD = 16


@dataclass(frozen=True)
class ArchiveReport:
    """What a run has archived of a dataset.

    `missed` are versions whose bytes no object holds now, `waiting` drops that were loaded under another contract
    than today's: they are archived once they have been loaded again.
    """

    dataset: str
    drops: int = 0
    records: int = 0
    files: int = 0
    size: int = 0
    missed: int = 0
    waiting: int = 0
    seconds: float = 0.0

    def __add__(self, other: ArchiveReport) -> ArchiveReport:
        """What two rounds of one dataset have archived."""
        return ArchiveReport(
            self.dataset,
            self.drops + other.drops,
            self.records + other.records,
            self.files + other.files,
            self.size + other.size,
            self.missed + other.missed,
            self.waiting + other.waiting,
            self.seconds + other.seconds,
        )


def archive(contract: Contract, landing: Landing, lake: Landing, ledger: LakeLedger) -> ArchiveReport:
    """Archives what was loaded of a dataset and is not archived yet, one run at a time.

    Raises `LawBroken` if a drop has not the records now that its load has read.
    """
    started = time.monotonic()
    report = ArchiveReport(contract.dataset)
    with step("archive", dataset=contract.dataset) as facts, ledger.exclusive(contract.dataset):
        tidy(contract.dataset, lake, ledger)
        while versions := cut_round(ledger.to_archive(contract.dataset)):
            report += _archive_round(contract, versions, landing, lake, ledger)
        facts |= {name: count for name, count in vars(report).items() if name != "seconds"}
    return replace(report, seconds=time.monotonic() - started)


def tidy(dataset: str, lake: Landing, ledger: LakeLedger) -> int:
    """Takes away the files of runs that were cut off, and those that were put together; how many they were."""
    left = ledger.leftovers(dataset)
    for file in left:
        lake.delete(file.path)
    ledger.record_deleted(left)
    return len(left)


def _archive_round(
    contract: Contract, versions: Sequence[DropVersion], landing: Landing, lake: Landing, ledger: LakeLedger
) -> ArchiveReport:
    """Archives some versions; all their files become part of the lake by one commit, with the mark behind them."""
    current = [version for version in versions if version.fingerprint in contract.fingerprints]
    new = by_date(version for version in current if not version.is_archived)
    files = ledger.announce(
        [
            LakeFile(0, contract.dataset, day, group[0].load_id, group[-1].load_id)
            for day, group in new
        ]
    )  # fmt: skip
    written, archived, missed = [], [], 0
    try:
        for file, (_, group) in zip(files, new, strict=True):
            done, of_file = _write_file(contract, file, group, landing, lake)
            archived += of_file
            missed += sum(each.file_id is None for each in of_file)
            if done.drops:
                written.append(done)
        ledger.record_archived(contract.dataset, written, archived, versions[-1].load_id)
    except BaseException:
        # Only if the commit did not come about: one whose answer was lost is settled by the next run.
        if not ledger.is_lost:
            with suppress(GoldworksError):
                tidy(contract.dataset, lake, ledger)
        raise
    return ArchiveReport(
        contract.dataset,
        sum(file.drops for file in written),
        sum(file.records for file in written),
        len(written),
        sum(file.size for file in written),
        missed,
        len(versions) - len(current),
    )


def _write_file(
    contract: Contract, file: LakeFile, group: Sequence[DropVersion], landing: Landing, lake: Landing
) -> tuple[LakeFile, list[Archived]]:
    """Writes one file of the lake, whole; without a drop that is still there, none."""
    from data_ingestion.lake.records import RecordsFile

    records = RecordsFile()
    archived = []
    for version, found in _fetched(landing, group):
        if found is None:
            archived.append(Archived(version, version.holders[0].key if version.holders else "", None, None))
            continue
        key, stream = found
        with stream:
            count = _add(records, contract, version, key, stream)
        archived.append(Archived(version, key, file.file_id, count))
    size = records.close()
    if records.drops:
        lake.write(file.path, records.content)
    records.content.close()
    return replace(file, drops=records.drops, records=records.records, size=size), archived


def _add(records: RecordsFile, contract: Contract, version: DropVersion, key: str, stream: BinaryIO) -> int:
    count = records.add_drop(contract, version, key, stream)
    if count != version.records:
        raise LawBroken(
            f"{key}: load {version.load_id} has read {version.records} records, the archive {count}"
        )
    return count


Found = tuple[str, BinaryIO] | None


def _fetched(landing: Landing, versions: Sequence[DropVersion]) -> Iterator[tuple[DropVersion, Found]]:
    """Each version with its bytes and the object that held them, in order; small ones are fetched ahead."""
    waiting = iter(versions)
    with ThreadPoolExecutor(8, thread_name_prefix="archive") as threads:
        ahead: list[tuple[DropVersion, Future[Found] | None]] = []

        def more(count: int) -> None:
            for version in islice(waiting, count):
                small = version.size <= SMALL_BYTES
                ahead.append((version, threads.submit(_fetch, landing, version) if small else None))

        more(AHEAD)
        while ahead:
            version, future = ahead.pop(0)
            found = future.result() if future else _fetch(landing, version)
            more(1)
            yield version, found


def _fetch(landing: Landing, version: DropVersion) -> Found:
    """The bytes of a version, proven by their hash, from the first object that has them; None if none does.

    An object that was touched since has another ETag: its bytes decide.
    """
    for holder in version.holders:
        for seen in (holder, None):
            seen = seen or landing.look(holder.key)
            if seen is None or seen.size != version.size:
                continue
            stream = cast(BinaryIO, SpooledTemporaryFile(SMALL_BYTES))  # noqa: SIM115 - whoever asked closes it
            digest = hashlib.sha256()
            with suppress(ObjectChanged):
                with landing.open(seen) as source:
                    while data := source.read(1 << 20):
                        digest.update(data)
                        stream.write(data)
                if same_bytes(digest.digest(), version.sha256):
                    stream.seek(0)
                    return holder.key, stream
            stream.close()
    return None
