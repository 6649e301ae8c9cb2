"""Shop: what an invented shop sells, to whom and where, and how its people write numbers down."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

PEOPLE = 1_200  # at a scale of 1 and below; more sales are to more people
MOST_PEOPLE = 60_000
SHARING = 12  # people who share a number at the till

# fmt: off
PRODUCTS = {
    40: ("Kettle", 3_499), 41: ("Toaster", 4_250), 42: ("Desk Lamp", 2_780), 43: ("Blender", 6_125),
    44: ("Floor Fan", 5_640), 45: ("Espresso Maker", 20_000), 46: ("Hand Mixer", 1_995), 47: ("Air Purifier", 25_000),
    48: ("Waffle Iron", 3_820), 49: ("Vacuum Flask", 1_500), 50: ("Sewing Machine", 31_900), 51: ("Radio", 5_500),
}  # price in hundredths
PLACES = (
    ("Portugal", "Porto"), ("Portugal", "Évora"), ("Spain", "Vigo"), ("Spain", "León"), ("France", "Lille"),
    ("France", "Nantes"), ("Germany", "Köln"), ("Germany", "Kiel"), ("Poland", "Łódź"), ("Poland", "Poznań"),
    ("UK", "Leeds"), ("UK", "Cardiff"), ("Ireland", "Cork"), ("Netherlands", "Utrecht"), ("Denmark", "Aarhus"),
    ("Sweden", "Malmö"), ("Norway", "Bergen"), ("Italy", "Bari"), ("Greece", "Patras"), ("Austria", "Graz"),
    ("Canada", "Halifax"), ("USA", "Portland"), ("Peru", "Cusco"), ("Japan", "Kobe"),
)
_GIVEN_NAMES = (
    "Adela", "Bashir", "Celine", "Dario", "Edda", "Faisal", "Greta", "Henrik", "Ilse", "Joaquim", "Katja", "Lorenzo",
    "Mirela", "Nuno", "Oona", "Pavel", "Quirin", "Renata", "Stellan", "Tova", "Ulla", "Vasco", "Wiebke", "Xenia",
    "Yusuf", "Zelda",
)
_FAMILY_NAMES = (
    "Ahlgren", "Barros", "Corvino", "Dreyer", "Engstrom", "Ferrand", "Gallo", "Hoekstra", "Iversen", "Jurado", "Kowal",
    "Lefort", "Madsen", "Nogueira", "Oster", "Pinheiro", "Quental", "Rinaldi", "Sorensen", "Tavares", "Uhlig",
    "Verbeek", "Wozniak", "Zeller",
)
_LESS_THAN_TWENTY = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
# fmt: on
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


class Person(NamedTuple):
    """Someone who buys. The number at the till is shared with others; name, e-mail and phone are not."""

    till_number: int
    first_name: str
    last_name: str
    email: str
    phone: str
    country: str
    city: str


@dataclass(frozen=True)
class Shop:
    """The invented shop at a size."""

    seed: int
    scale: float

    @property
    def people(self) -> int:
        """How many buy here."""
        return min(MOST_PEOPLE, max(PEOPLE, int(PEOPLE * self.scale)))

    def chance(self, what: str) -> random.Random:
        """The chance that decides one thing alone, so that nothing else moves with it."""
        return random.Random(f"{self.seed} {what}")  # noqa: S311 (samples, not secrets)

    def person(self, number: int) -> Person:
        """The same for the same number; namesakes have another address and phone."""
        chance = self.chance(f"person {number}")
        first, last = chance.choice(_GIVEN_NAMES), chance.choice(_FAMILY_NAMES)
        country, city = chance.choices(PLACES, cum_weights=_WEIGHTS_OF_PLACES)[0]
        email = f"{first}.{last}{number}@example.com".lower()
        phone = f"+999-555-{number // 10_000:04d}-{number % 10_000:04d}"
        return Person(6_100 + number // SHARING, first, last, email, phone, country, city)


def spelled(number: int, chance: random.Random) -> str:
    """A whole number below 100,000 in words, in one of the ways in which people write them."""
    words = _words(number, chance)
    return chance.choice((str.title, str.lower, str.upper, str.capitalize))(words)


def _words(number: int, chance: random.Random) -> str:
    if number < 20:
        return _LESS_THAN_TWENTY[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (chance.choice(" -") + _LESS_THAN_TWENTY[ones] if ones else "")
    unit, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    count, rest = divmod(number, unit)
    behind = chance.choice((" ", " and ")) + _words(rest, chance) if rest else ""
    return f"{_words(count, chance)} {name}{behind}"


_WEIGHTS_OF_PLACES = tuple(accumulate(1 / (place + 2) for place in range(len(PLACES))))
