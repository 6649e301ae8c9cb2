"""Web samples: a site's events, a file a month, with what goes wrong between a site and its monthly files.

A month's drop brings the month's events but for some of its last day, which come with the next month's; again some of
the former month's last day that have been delivered; some rows twice; and some rows that no reader can make sense of.
A corrected month comes under the same name: see `write_correction`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import BinaryIO

from data_ingestion.errors import UsageFault
from goldworks_samples.drop import LandingWriter, SampleDrop
from goldworks_samples.events import MONTHS, Event, Month, Site, next_month

HEADER = "id,timestamp,email,country,ip,uri,action,tags"
LATE_SHARE = 0.08  # of the last day's events, which come with the next month's drop
AGAIN_SHARE = 0.04  # of the last day's events, which come with both
REPEATED_SHARE = 0.005
MALFORMED_SHARE = 0.0003
CHANGED_SHARE = 0.01  # of a corrected month's events
WITHDRAWN_SHARE = 0.005


@dataclass
class Delivered:
    """What one file holds: its records, and how many of them are of which kind."""

    rows: int = 0
    malformed: int = 0
    repeated: int = 0
    late: int = 0  # of the former month, and delivered with this one only
    again: int = 0  # of the former month, which brought them too
    changed: int = 0  # in a correction: with another content than before
    withdrawn: int = 0  # in a correction: delivered before and no longer

    def __str__(self) -> str:
        counts = {
            "repeated": self.repeated,
            "late from the month before": self.late,
            "of the month before again": self.again,
            "changed": self.changed,
            "withdrawn": self.withdrawn,
        }
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def write_web(
    write: LandingWriter, seed: int, scale: float, faults: bool, today: date, months: int = MONTHS
) -> tuple[SampleDrop, ...]:
    """Writes the drops of domain `web`, month by month from the site's first; the third is the one before `today`'s.

    Without `faults`, each event comes once, well formed and in its own month.
    """
    site = Site(seed, scale, today, faults)
    month, drops = site.opened, []
    for _ in range(months):
        drops.append(_write(write, _Delivery(site, month)))
        month = next_month(month)
    return tuple(drops)


def write_correction(write: LandingWriter, month: date, seed: int, scale: float, today: date) -> SampleDrop:
    """Writes a month's drop again, under the same key, corrected.

    Malformed rows, addresses and actions come as they should have, rows come once, some events have another country,
    some are withdrawn, and so are the former month's events that the former month's drop has itself.
    `month` is its first day. Raises `UsageFault` for a month before the site was there.
    """
    site = Site(seed, scale, today)
    if month < site.opened or month.day != 1:
        raise UsageFault(
            f"samples: the site has no month that begins on {month}\n  its first one is {site.opened:%Y-%m}"
        )
    return _write(write, _Correction(site, month))


def _write(write: LandingWriter, delivery: _Delivery) -> SampleDrop:
    """Line by line into a file, so that a month of any size needs no more memory than a small one."""
    key = f"{delivery.month.first:%Y/%m}/events.csv"
    with tempfile.TemporaryFile() as file:
        delivered = delivery.write_to(file)
        file.seek(0)
        write(key, file)
    return SampleDrop(key, delivered.rows, delivered.malformed, str(delivered))


class _Delivery:
    """A month's drop as it first comes."""

    def __init__(self, site: Site, first: date) -> None:
        self.month = site.month(first)
        self.faults = site.faults
        has_former = site.faults and first > site.opened
        self.former = site.month(_month_before(first)) if has_former else None

    def write_to(self, file: BinaryIO) -> Delivered:
        """Writes the file, and returns what it holds."""
        delivered = Delivered()
        file.write(f"{HEADER}\n".encode())
        for line in self.lines(delivered):
            file.write(line)
            delivered.rows += 1
        return delivered

    def lines(self, delivered: Delivered) -> Iterator[bytes]:
        """The records in their order; `delivered` counts them by kind."""
        yield from self._tail_of_former(delivered)
        twice: list[bytes] = []  # rows that come a second time, some lines further down
        for number, event in self.month.events():
            if number in self.late:
                continue
            line = _line(event)
            if number in self.malformed:
                line = _MALFORMATIONS[delivered.malformed % len(_MALFORMATIONS)](line)
                delivered.malformed += 1
            yield line
            if number in self.repeated:
                twice.append(line)
            if len(twice) == _REPEATED_TOGETHER:
                yield from twice
                delivered.repeated += len(twice)
                twice.clear()
        yield from twice
        delivered.repeated += len(twice)

    def _tail_of_former(self, delivered: Delivered) -> Iterator[bytes]:
        """The former month's last events: those that came too late for its drop, and some that did not.

        Of the latter, every fifth has another country by now.
        """
        if self.former is None:
            return
        late = late_of(self.former)
        again = again_of(self.former, late)
        for number, event in self.former.events(self.former.last_day):
            if number in late:
                delivered.late += 1
                yield _line(event)
            elif number in again:
                delivered.again += 1
                moved = delivered.again % 5 == 0
                yield _line(_moved(event) if moved else event)

    @cached_property
    def late(self) -> frozenset[int]:
        """Events that this drop leaves to the next month's."""
        return late_of(self.month) if self.faults else frozenset()

    @cached_property
    def malformed(self) -> frozenset[int]:
        """Events whose rows are malformed. Never neighbours: a quote left open must meet an ordinary line next."""
        if not self.faults:
            return frozenset()
        chosen = self.month.some("malformed", 2 * MALFORMED_SHARE, len(_MALFORMATIONS), self._halves)
        return frozenset(2 * number + 1 for number in chosen)

    @cached_property
    def repeated(self) -> frozenset[int]:
        """Events whose rows come twice."""
        if not self.faults:
            return frozenset()
        return self.month.some("repeated", REPEATED_SHARE) - self.malformed - self.late

    @property
    def _halves(self) -> range:
        return range(self.month.last_day.start // 2)


class _Correction(_Delivery):
    """A month's drop, corrected."""

    def lines(self, delivered: Delivered) -> Iterator[bytes]:
        """The records in their order; `delivered` counts what they do to the drop before."""
        if self.former is not None:
            late = late_of(self.former)
            delivered.withdrawn += len(again_of(self.former, late))
            for number, event in self.former.events(self.former.last_day):
                if number in late:
                    delivered.late += 1
                    yield _line(event)
        withdrawn = self.month.some("withdrawn", WITHDRAWN_SHARE) - self.malformed - self.late
        changed = self.month.some("changed", CHANGED_SHARE) - self.malformed
        corrected = self.month.invalid_ips | self.month.unknown_actions
        for number, event in self.month.events(corrected=True):
            if number in self.late:
                continue
            if number in withdrawn:
                delivered.withdrawn += 1
                continue
            if number in changed or (number in corrected and number not in self.malformed):
                delivered.changed += 1
            yield _line(_moved(event) if number in changed else event)


def late_of(month: Month) -> frozenset[int]:
    """A month's events that come with the next month's drop only: some of the last day."""
    return month.some("late", LATE_SHARE, 2, month.last_day)


def again_of(month: Month, late: frozenset[int]) -> frozenset[int]:
    """A month's events that also come with the next month's drop: some others of the last day."""
    return month.some("again", AGAIN_SHARE, 5, month.last_day) - late


def _month_before(first: date) -> date:
    return date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)


def _moved(event: Event) -> Event:
    """The event with another country."""
    return event._replace(country="Iceland" if event.country != "Iceland" else "Malta")


def _line(event: Event) -> bytes:
    event_id, day, email, country, ip, uri, action, tags = event
    return (f"{event_id},{day},{email},{_cell(country)},{ip},{uri},{action},{_cell(tags)}\n").encode()


def _cell(text: str) -> str:
    """Quoted where CSV asks for it."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _short_id(line: bytes) -> bytes:
    return line[:23] + line[25:]


def _impossible_day(line: bytes) -> bytes:
    event_id, _, rest = line.split(b",", 2)
    return b",".join([event_id, b"2026-02-30", rest])


def _without_columns(line: bytes) -> bytes:
    return b",".join(line.split(b",")[:3]) + b"\n"


def _nobody(line: bytes) -> bytes:
    event_id, day, _, rest = line.split(b",", 3)
    return b",".join([event_id, day, b"", rest])


def _foreign_byte(line: bytes) -> bytes:
    return line.replace(b"@", b"\xe9@", 1)


def _open_quote(line: bytes) -> bytes:
    """The page opens a quote that nothing on the line closes."""
    start, _, _ = line.partition(b"[")
    return start.rstrip(b'"').rsplit(b",", 1)[0] + b",\"['open\n"


_MALFORMATIONS = (_short_id, _impossible_day, _without_columns, _nobody, _foreign_byte, _open_quote)
_REPEATED_TOGETHER = 20
