"""Fleet samples: what vehicles and their operators report, a file a second, with what goes wrong on the way.

The clock that names the files is three hours behind the one of the events. Some seconds have no file; what they would
have brought comes with the next. Some events come a second time in a later file, some come minutes late, a file comes
again under another name, and some lines are of no use to any reader.
"""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from goldworks_samples.drop import LandingWriter, SampleDrop
from goldworks_samples.vehicles import Fleet, Vehicle

SECONDS = 1_060  # at a scale of 1
LEAST_SECONDS = 90
VEHICLES = 30
FIRST_FILE_AT = time(7, 5, 50)  # of the day before, by the clock of the files
AHEAD = timedelta(hours=3)  # of the events' clock
ORGANIZATION = "ring-line"
PERIOD_EVERY, PERIOD_SECONDS, PERIOD_CREATED_BEFORE = 360, 300, 20
FIRST_PERIOD = 40
CUT_SHORT = 90  # seconds before its end, at which every fourth period is deleted
MISSING_SHARE, AGAIN_SHARE, LATE_SHARE, COPY_SHARE = 0.03, 0.01, 0.004, 0.004
LATE_SECONDS = (20, 400)
HOUR = 3_600
MALFORMED_EVERY = 30  # seconds
Record = dict[str, object]


def write_fleet(
    write: LandingWriter, seed: int, scale: float, faults: bool, today: date
) -> tuple[SampleDrop, ...]:
    """Writes the drops of domain `fleet`: `scale` times a quarter of an hour and more, a file a second.

    The first file is of the morning before `today`.

    Without `faults`, each second has its file and each event comes once, well formed and with its second.
    """
    drops = []
    clock = Clock(datetime.combine(today - timedelta(days=1), FIRST_FILE_AT))
    for key, lines, bad, note in _files(clock, seed, max(LEAST_SECONDS, round(scale * SECONDS)), faults):
        write(key, b"".join(lines))
        drops.append(SampleDrop(key, len(lines), bad, note))
    if faults:
        stranger = f"data/{clock.first_file:%Y/%m/%d/%H}/upload.log"
        write(stranger, b"upload of 7 o'clock: complete\n")
        drops.append(SampleDrop(stranger, 0, 0, "of no contract"))
    return tuple(drops)


@dataclass(frozen=True)
class Clock:
    """When a second is, for the names of files and for events."""

    first_file: datetime

    def key_of(self, second: int) -> str:
        """The file of a second, its seconds unpadded."""
        named = self.first_file + timedelta(seconds=second)
        return f"data/{named:%Y/%m/%d/%H/%M}/{named:%Y-%m-%d-%H-%M}-{named.second}-events.txt"

    def moment(self, second: int) -> str:
        """ISO with milliseconds, as the source writes it."""
        at = self.first_file + AHEAD + timedelta(seconds=second, milliseconds=37 + second % 5)
        return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def _files(
    clock: Clock, seed: int, seconds: int, faults: bool
) -> Iterator[tuple[str, list[bytes], int, str]]:
    """Key, lines, how many of them are malformed, and a note."""
    chance = random.Random(f"{seed} fleet faults")  # noqa: S311 (samples, not secrets)
    waiting: dict[int, list[bytes]] = defaultdict(list)
    last = seconds - 1
    before_all = (seconds // HOUR + 1) * HOUR  # a copy's name is by so much older: no file has it
    copies = 0
    for second, records in enumerate(_seconds(clock, seed, seconds)):
        lines = [_line(record) for record in records]
        if not faults:
            yield clock.key_of(second), lines, 0, ""
            continue
        kept = []
        for line in lines:
            drawn = chance.random()
            later = min(last, second + chance.randint(*LATE_SECONDS))
            if drawn < LATE_SHARE:
                waiting[later].append(line)
                continue
            if drawn < LATE_SHARE + AGAIN_SHARE:
                waiting[later].append(line)
            kept.append(line)
        kept += waiting.pop(second, [])
        if second < last and (not kept or chance.random() < MISSING_SHARE):
            waiting[second + 1] += kept
            continue
        malformed = []
        if second % MALFORMED_EVERY == MALFORMED_EVERY - 1 or second == last:
            number = second // MALFORMED_EVERY % len(_MALFORMATIONS)
            malformed = [_MALFORMATIONS[number](kept[0])]
        if second == last:
            kept += [line for late in waiting.values() for line in late]
        yield clock.key_of(second), [*kept, *malformed], len(malformed), ""
        if (second > 10 and chance.random() < COPY_SHARE) or (second == last and not copies):
            copies += 1
            yield clock.key_of(second - before_all), [*kept, *malformed], len(malformed), "copies of another"


def _seconds(clock: Clock, seed: int, seconds: int) -> Iterator[list[Record]]:
    """What happens in each second."""
    fleet = Fleet(seed, VEHICLES)
    planned = _planned(clock, seconds)
    for second in range(seconds):
        at = clock.moment(second)
        records = planned.get(second, [])
        if second == 0:
            records = [_record(at, "register", "vehicle", {"id": each.vehicle_id}) for each in fleet.vehicles]
        for vehicle in fleet.next_second(second):
            records.append(_record(at, "update", "vehicle", _where(vehicle, at)))
        if second == seconds - 1:
            for number, vehicle in enumerate(fleet.vehicles[::3]):
                # Some send their position, which is not a field of this kind.
                data: Record = {"id": vehicle.vehicle_id} if number % 3 else _where(vehicle, at)
                records.append(_record(at, "deregister", "vehicle", data))
        yield records


def _where(vehicle: Vehicle, at: str) -> Record:
    latitude, longitude = vehicle.position
    return {"id": vehicle.vehicle_id, "location": {"lat": latitude, "lng": longitude, "at": at}}


def _planned(clock: Clock, seconds: int) -> dict[int, list[Record]]:
    """Operating periods: most run to their end, every fourth is cut short, and the third never takes place."""
    planned: dict[int, list[Record]] = defaultdict(list)
    for number, start in enumerate(range(FIRST_PERIOD, seconds, PERIOD_EVERY), 1):
        created, finish = start - PERIOD_CREATED_BEFORE, start + PERIOD_SECONDS
        data: Record = {"id": f"op_{number}", "start": clock.moment(start), "finish": clock.moment(finish)}
        planned[created].append(_record(clock.moment(created), "create", "operating_period", data))
        deleted = finish - CUT_SHORT if number % 4 == 2 else start - 5 if number % 4 == 3 else None
        if deleted is not None:
            planned[deleted].append(_record(clock.moment(deleted), "delete", "operating_period", data))
    return planned


def _record(at: str, event: str, on: str, data: Record) -> Record:
    return {"event": event, "on": on, "at": at, "data": data, "organization_id": ORGANIZATION}


def _line(record: Record) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _changed(line: bytes, **changes: object) -> bytes:
    return _line({**json.loads(line), **changes})


def _cut(line: bytes) -> bytes:
    return line[: len(line) // 2] + b"\n"


def _unknown_kind(line: bytes) -> bytes:
    return _changed(line, on="driver", event="log_in", data={"id": "d-1", "shift": "early"})


def _nowhere(line: bytes) -> bytes:
    return _changed(line, on="vehicle", event="update", data={"id": json.loads(line)["data"]["id"]})


def _beyond(line: bytes) -> bytes:
    record = json.loads(line)
    location = {"lat": 143.6, "lng": 1.44, "at": record["at"]}
    return _changed(
        line, on="vehicle", event="update", data={"id": record["data"]["id"], "location": location}
    )


def _undeclared(line: bytes) -> bytes:
    return _changed(line, battery=81)


def _no_time(line: bytes) -> bytes:
    return _changed(line, at="soon")


_MALFORMATIONS = (_cut, _unknown_kind, _nowhere, _beyond, _undeclared, _no_time)
