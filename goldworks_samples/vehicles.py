"""Vehicles: an invented fleet that drives through an invented town, second by second.

A vehicle speeds up, waits and turns as cars do, never faster than 50 km/h, and stays within some kilometres of the
town's centre. It reports where it is every few seconds, each in its own rhythm.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

CENTRE = (43.6, 1.44)  # degrees north and east; a place to drive around, with no real fleet
TOWN_M = 4_000.0  # a vehicle so far from the centre turns back
TOP_SPEED_MS = 50 / 3.6
FASTER_MS, SLOWER_MS = 2.0, 3.0  # by which a second changes the speed at most
METRES_A_DEGREE = 111_195.0
DECIMALS = 5  # of a position, as devices send it: about a metre
EVERY_SECONDS = (2, 3, 3, 4, 6)
_GO, _TURN = 0.06, 0.06  # chances a second
_WAIT = (0.01, 0.09)  # some have more stops to make than others


@dataclass
class Vehicle:
    """Where a vehicle is, and how it drives just now."""

    vehicle_id: str
    north_m: float
    east_m: float
    heading: float  # radians from north
    every_seconds: int
    offset: int  # in its rhythm
    wait: float  # chance a second to slow down and stop
    speed_ms: float = 0.0
    is_waiting: bool = True

    def drive(self, chance: random.Random) -> None:
        """One second further."""
        if chance.random() < (_GO if self.is_waiting else self.wait):
            self.is_waiting = not self.is_waiting
        if self.is_waiting:
            self.speed_ms = max(0.0, self.speed_ms - chance.uniform(0, SLOWER_MS))
        else:
            self.speed_ms = min(TOP_SPEED_MS, self.speed_ms + chance.uniform(0, FASTER_MS))
        if math.hypot(self.north_m, self.east_m) > TOWN_M:
            self.heading = math.atan2(-self.east_m, -self.north_m)
        elif chance.random() < _TURN:
            self.heading += chance.choice((-1, 1)) * math.pi / 2 + chance.uniform(-0.2, 0.2)
        self.north_m += self.speed_ms * math.cos(self.heading)
        self.east_m += self.speed_ms * math.sin(self.heading)

    @property
    def position(self) -> tuple[float, float]:
        """Degrees north and east."""
        latitude = CENTRE[0] + self.north_m / METRES_A_DEGREE
        longitude = CENTRE[1] + self.east_m / METRES_A_DEGREE / math.cos(math.radians(CENTRE[0]))
        return round(latitude, DECIMALS), round(longitude, DECIMALS)


class Fleet:
    """All vehicles; the same for the same seed."""

    def __init__(self, seed: int, vehicles: int) -> None:
        self._chance = random.Random(f"{seed} drives")  # noqa: S311 (samples, not secrets)
        self.vehicles = [self._vehicle() for _ in range(vehicles)]

    def next_second(self, second: int) -> Iterator[Vehicle]:
        """All drive for a second; those whose turn it is report."""
        for vehicle in self.vehicles:
            vehicle.drive(self._chance)
            if (second + vehicle.offset) % vehicle.every_seconds == 0:
                yield vehicle

    def _vehicle(self) -> Vehicle:
        chance = self._chance
        every = chance.choice(EVERY_SECONDS)
        return Vehicle(
            vehicle_id=_uuid(chance.getrandbits(128)),
            north_m=chance.uniform(-TOWN_M, TOWN_M) / 2,
            east_m=chance.uniform(-TOWN_M, TOWN_M) / 2,
            heading=chance.uniform(0, 2 * math.pi),
            every_seconds=every,
            offset=chance.randrange(every),
            wait=chance.uniform(*_WAIT),
        )


def _uuid(bits: int) -> str:
    """A UUID of version 4."""
    digits = f"{bits & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
