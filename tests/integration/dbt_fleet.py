"""The fleet's feed for the tests of dbt, small and colliding, and the answers to its questions in plain Python."""

import json
import math
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from data_ingestion.contract import read_contract
from tests.integration.dbt_session import ROOT

FLEET_COLUMNS = ", ".join(
    ("organization_id", "subject", "event", "subject_id", "occurred_at", "latitude", "longitude", "located_at",
     "starts_at", "finishes_at")
)  # fmt: skip
EARTH_KM = 6371.0088
# Around a midnight, so that paths and periods go from one day into the next.
MIDNIGHT = datetime(2024, 5, 2, tzinfo=UTC)
VEHICLES = tuple(f"00000000-0000-4000-8000-{number:012}" for number in range(3))
ORGANIZATIONS = ("a", "a", "b")
PERIODS = ("op_1", "op_2")
# Legs are told to the millimetre, so a sum of many differs a little more.
CLOSE_KM, CLOSE_SHARE = 1e-4, 1e-6


class Event(NamedTuple):
    """A row of raw."""

    organization_id: str
    subject: str
    event: str
    subject_id: str
    occurred_at: datetime
    latitude: float | None = None
    longitude: float | None = None
    located_at: datetime | None = None
    starts_at: datetime | None = None
    finishes_at: datetime | None = None


class Fleet:
    """Events of vehicles and operating periods: told again and again, sometimes otherwise, sometimes late."""

    contract = read_contract(ROOT / "contracts/fleet/vehicle_events.odcs.yaml")
    keys = tuple(f"data/2024/05/01/20/0/2024-05-01-20-0-{second}-events.txt" for second in (7, 8, 19))

    def drop(self, records: Iterable[Mapping[str, Any]]) -> bytes:
        return "".join(f"{json.dumps(record)}\n" for record in records).encode()

    def random_drop(self, chance: random.Random) -> bytes:
        return self.drop(self._random_record(chance) for _ in range(chance.randint(1, 12)))

    def _random_record(self, chance: random.Random) -> dict[str, Any]:
        at = MIDNIGHT + timedelta(minutes=chance.choice((-1500, -40, -30, -20, -10, 0, 10, 20, 30, 40, 1500)))
        organization = chance.choice(ORGANIZATIONS)
        what = chance.random()
        if what < 0.7:
            place = chance.randint(0, 9) / 100, chance.randint(0, 9) / 100
            return update(
                organization, chance.choice(VEHICLES), at, *place, seconds=chance.choice((0, 0, 90))
            )
        if what < 0.8:
            return record(
                organization,
                "vehicle",
                chance.choice(("register", "deregister")),
                chance.choice(VEHICLES),
                at,
            )
        if what < 0.93:
            start = MIDNIGHT + timedelta(minutes=chance.choice((-1450, -35, -20, 0, 15)))
            return period(organization, chance.choice(PERIODS), at, start, chance.choice((15, 35, 2_000)))
        return record(organization, "operating_period", "delete", chance.choice(PERIODS), at)


def record(organization: str, on: str, event: str, id_: str, at: datetime, **data: Any) -> dict[str, Any]:
    return {
        "event": event, "on": on, "at": told(at), "data": {"id": id_, **data}, "organization_id": organization
    }  # fmt: skip


def update(
    organization: str, vehicle: str, at: datetime, latitude: float, longitude: float, seconds: int = 0
) -> dict[str, Any]:
    """A position, measured so many seconds before it was told."""
    location = {"lat": latitude, "lng": longitude, "at": told(at - timedelta(seconds=seconds))}
    return record(organization, "vehicle", "update", vehicle, at, location=location)


def period(organization: str, name: str, at: datetime, start: datetime, minutes: int) -> dict[str, Any]:
    finish = start + timedelta(minutes=minutes)
    return record(
        organization, "operating_period", "create", name, at, start=told(start), finish=told(finish)
    )


def told(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"


def fleet_answers(rows: Iterable[Sequence[Any]]) -> dict[str, dict[Any, tuple[Any, ...]]]:
    """What the marts of the fleet must say of these rows of raw (`FLEET_COLUMNS`), mart by mart, by their keys."""
    events = [Event(*row) for row in rows]
    tracks: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        if (event.subject, event.event) == ("vehicle", "update"):
            tracks[event.organization_id, event.subject_id].append(event)
    for track in tracks.values():
        track.sort(key=lambda event: (event.located_at, event.occurred_at))
    periods = _periods(events)
    distances: dict[Any, tuple[Any, ...]] = {}
    for (organization, name), (starts_at, _, _, ended_at) in periods.items():
        for (owner, vehicle), track in tracks.items():
            inside = [event for event in track if starts_at <= event.located_at <= ended_at]
            if owner == organization and inside and ended_at > starts_at:
                distances[organization, name, vehicle] = (len(inside), _kilometres(inside))
    return {
        "mart_fleet_vehicle_updates_daily": _days(tracks),
        "mart_fleet_vehicle_updates": _updates(tracks, events),
        "mart_fleet_vehicle_paths": _paths(tracks),
        "mart_fleet_vehicle_distances": distances,
        "mart_fleet_operating_periods": {
            key: (*plan, plan[3] > plan[0], *_average(key, distances)) for key, plan in periods.items()
        },
        "mart_fleet_average_distance": {
            (organization,): (
                sum(plan[3] > plan[0] for key, plan in periods.items() if key[0] == organization),
                *_average((organization,), distances),
            )
            for organization, _ in periods
        },
    }


# Of each mart that `fleet_answers` speaks of, its keys and what it says of them.
ASKED = {
    "mart_fleet_vehicle_updates_daily": ("position_date, organization_id, vehicle_id", 3, "updates"),
    "mart_fleet_vehicle_updates": (
        "organization_id, vehicle_id", 2,
        "updates, update_rank, place, vehicles_with_as_many, last_located_at, registered_at, deregistered_at",
    ),
    "mart_fleet_vehicle_paths": (
        "organization_id, vehicle_id, position_number", 3,
        "place, is_last, located_at, latitude, longitude, travelled_km",
    ),
    "mart_fleet_vehicle_distances": (
        "organization_id, operating_period_id, vehicle_id", 3, "positions, distance_km",
    ),
    "mart_fleet_operating_periods": (
        "organization_id, operating_period_id", 2,
        "starts_at, planned_finish_at, deleted_at, ended_at, took_place, vehicles, distance_km, average_distance_km",
    ),
    "mart_fleet_average_distance": (
        "organization_id", 1, "operating_periods, vehicle_periods, distance_km, average_distance_km",
    ),
}  # fmt: skip


def wrong_fleet_answers(connection: Any, rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Marts that say something else than Python, with what both say."""
    wrong = {}
    for mart, expected in fleet_answers(rows).items():
        keys, width, columns = ASKED[mart]
        found = connection.execute(f"select {keys}, {columns} from gold.{mart}").fetchall()
        said = {row[:width]: row[width:] for row in found}
        differing = {
            key: (said.get(key), expected.get(key))
            for key in said.keys() | expected.keys()
            if not _same(said.get(key), expected.get(key))
        }
        if differing or len(said) != len(found):
            wrong[mart] = differing
    return wrong


def _same(one: tuple[Any, ...] | None, other: tuple[Any, ...] | None) -> bool:
    if one is None or other is None or len(one) != len(other):
        return False
    return all(
        math.isclose(float(a), b, rel_tol=CLOSE_SHARE, abs_tol=CLOSE_KM)
        if isinstance(b, float) and a is not None
        else a == b
        for a, b in zip(one, other, strict=True)
    )


def _periods(events: Sequence[Event]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """By operating period its start, planned finish, deletion and end."""
    created: dict[tuple[str, str], Event] = {}
    for event in sorted(events, key=lambda event: event.occurred_at):
        if (event.subject, event.event) == ("operating_period", "create"):
            created[event.organization_id, event.subject_id] = event
    periods = {}
    for key, plan in created.items():
        deletions = [
            event.occurred_at
            for event in events
            if (event.subject, event.event) == ("operating_period", "delete")
            and (event.organization_id, event.subject_id) == key
            and event.occurred_at >= plan.occurred_at
        ]
        deleted_at = min(deletions, default=None)
        ended_at = min(filter(None, (deleted_at, plan.finishes_at)))
        periods[key] = (plan.starts_at, plan.finishes_at, deleted_at, ended_at)
    return periods


def _days(tracks: Mapping[tuple[str, str], Sequence[Event]]) -> dict[Any, tuple[int]]:
    counts: dict[tuple[date, str, str], int] = defaultdict(int)
    for key, track in tracks.items():
        for event in track:
            counts[event.located_at.astimezone(UTC).date(), *key] += 1
    return {key: (count,) for key, count in counts.items()}


def _updates(
    tracks: Mapping[tuple[str, str], Sequence[Event]], events: Sequence[Event]
) -> dict[Any, tuple[Any, ...]]:
    vehicles = {(event.organization_id, event.subject_id) for event in events if event.subject == "vehicle"}
    counts = {key: len(tracks.get(key, ())) for key in vehicles}
    places = sorted(vehicles, key=lambda key: (-counts[key], key))

    def last(key: tuple[str, str], what: str) -> datetime | None:
        return max(
            (e.occurred_at for e in events if (e.organization_id, e.subject_id, e.event) == (*key, what)),
            default=None,
        )

    return {
        key: (
            counts[key],
            1 + sum(other > counts[key] for other in counts.values()),
            1 + places.index(key),
            sum(other == counts[key] for other in counts.values()),
            max((event.located_at for event in _possible(tracks.get(key, ()))), default=None),
            last(key, "register"),
            last(key, "deregister"),
        )
        for key in vehicles
    }


def _possible(track: Sequence[Event]) -> list[Event]:
    """Positions not dated after tomorrow."""
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    return [event for event in track if event.located_at.astimezone(UTC).date() <= tomorrow]


def _paths(tracks: Mapping[tuple[str, str], Sequence[Event]]) -> dict[Any, tuple[Any, ...]]:
    paths = {}
    for place, key in enumerate(sorted(tracks, key=lambda key: (-len(tracks[key]), key)), 1):
        track = _possible(tracks[key])
        hour = [event for event in track if event.located_at >= track[-1].located_at - timedelta(hours=1)]
        travelled = accumulate((_leg(one, other) for one, other in pairwise(hour)), initial=0.0)
        for number, (event, km) in enumerate(zip(hour, travelled, strict=True), 1):
            paths[*key, number] = (
                place, number == len(hour), event.located_at, event.latitude, event.longitude, km,
            )  # fmt: skip
    return paths


def _average(
    key: tuple[str, ...], distances: Mapping[Any, tuple[Any, ...]]
) -> tuple[int, float, float | None]:
    """Vehicles, kilometres together and a vehicle, of what `key` begins the keys of."""
    driven = [distance for of, (_, distance) in distances.items() if of[: len(key)] == key]
    return len(driven), math.fsum(driven), math.fsum(driven) / len(driven) if driven else None


def _kilometres(track: Sequence[Event]) -> float:
    return math.fsum(_leg(one, other) for one, other in pairwise(track))


def _leg(one: Event, other: Event) -> float:
    """By the angle between two directions from the centre of the earth, which is another road to the same number."""
    a, b = (_direction(event) for event in (one, other))
    cross = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    return EARTH_KM * math.atan2(math.hypot(*cross), math.fsum(x * y for x, y in zip(a, b, strict=True)))


def _direction(event: Event) -> tuple[float, float, float]:
    north, east = math.radians(event.latitude), math.radians(event.longitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)
