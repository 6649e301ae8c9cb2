"""Visitors: invented people of invented companies, a few of them far more active than the others."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

COMPANIES = 300
PEOPLE = 3_000  # at a scale of 1 and below; more events are of more people
MOST_PEOPLE = 240_000
# The share of people that a month does not see: in the site's first month, by how much less in each later, at least.
MOST_AWAY, FEWER_AWAY, LEAST_AWAY = 0.45, 0.06, 0.15
ALWAYS_THERE = 20  # companies, those with most events

# fmt: off
_FIRST_WORDS = (
    "amber", "birch", "bluefin", "bramble", "cedar", "copper", "cobalt", "drift", "ember", "fallow", "fern", "flint",
    "granite", "harbour", "hazel", "heron", "indigo", "juniper", "kestrel", "lantern", "linden", "maple", "marble",
    "northwind", "orchard", "pebble", "quarry", "saffron", "thistle", "willow",
)
_SECOND_WORDS = (
    "analytics", "bakery", "bikes", "books", "clinic", "dairy", "design", "energy", "farms", "foods", "freight",
    "games", "glass", "hotels", "lab", "logistics", "media", "mills", "motors", "paper", "press", "robotics", "seeds",
    "studio", "systems", "textiles", "tools", "travel", "water", "works",
)
_ENDINGS = (*("example",) * 8, "example.com", "example.org", "example.net")
_GIVEN_NAMES = (
    "ada", "aiko", "alba", "amir", "ana", "anders", "bao", "bea", "carmen", "chidi", "clara", "dalia", "daniel",
    "diego", "elif", "emeka", "emil", "eva", "farah", "felix", "freya", "gita", "hana", "hugo", "ines", "ivan",
    "jana", "jonas", "kaito", "karim", "lars", "leila", "lena", "liam", "lucia", "maja", "marco", "mei", "mila",
    "nadia", "nils", "noor", "olga", "omar", "paula", "priya", "rafael", "rosa", "sami", "sara", "sofia", "tariq",
    "tess", "tomas", "ula", "vera", "viktor", "wanda", "yara", "zoe",
)
_FAMILY_NAMES = (
    "abel", "adeyemi", "almeida", "aoki", "arslan", "baker", "banerjee", "berg", "brandt", "castillo", "chen",
    "costa", "dahl", "diallo", "duarte", "eriksen", "esposito", "falk", "farouk", "fischer", "fonseca", "garcia",
    "goh", "haas", "haddad", "hansen", "ibarra", "ito", "jansen", "jimenez", "kaya", "keller", "khan", "kimura",
    "koch", "kovac", "lang", "larsen", "lopez", "lund", "mancini", "marek", "mbeki", "meyer", "molina", "moreau",
    "nair", "navarro", "nguyen", "novak", "obi", "okafor", "olsen", "ortiz", "park", "patel", "pereira", "petrov",
    "quist", "ramos", "rao", "reyes", "rossi", "sato", "schmid", "silva", "singh", "soto", "stein", "suzuki",
    "tanaka", "torres", "vance", "varga", "vega", "weber", "wolff", "yilmaz", "zapata", "zhou",
)
# English names as reference lists write them, some of them with a comma.
COUNTRIES = (
    "Argentina", "Australia", "Austria", "Bangladesh", "Belgium", "Bolivia, Plurinational State of", "Brazil", "Canada",
    "Chile", "China", "Colombia", "Congo, The Democratic Republic of the", "Croatia", "Denmark", "Egypt", "Estonia",
    "Ethiopia", "Finland", "France", "Germany", "Ghana", "Greece", "India", "Indonesia", "Ireland", "Italy", "Japan",
    "Kenya", "Korea, Republic of", "Latvia", "Mexico", "Moldova, Republic of", "Morocco", "Nepal", "Netherlands",
    "New Zealand", "Nigeria", "Norway", "Palau", "Peru", "Philippines", "Poland", "Portugal", "Romania", "Singapore",
    "South Africa", "Spain", "Sri Lanka", "Sweden", "Switzerland", "Taiwan, Province of China",
    "Tanzania, United Republic of", "Thailand", "Tunisia", "Turkey", "Uganda", "United Kingdom",
    "United States of America", "Uruguay", "Venezuela, Bolivarian Republic of", "Viet Nam", "Zambia",
)
# fmt: on


@dataclass(frozen=True)
class Visitor:
    """A person with an address at a company, and the country that most of the person's events come from."""

    name: str
    domain: str
    country: str


class Visitors:
    """The people of a site. The weight of a company falls with its rank, that of a person with the rank in it."""

    def __init__(self, seed: int, scale: float) -> None:
        chance = random.Random(f"{seed} visitors")  # noqa: S311 (samples, not secrets)
        domains = [f"{first}-{second}" for first in _FIRST_WORDS for second in _SECOND_WORDS]
        domains = [f"{name}.{chance.choice(_ENDINGS)}" for name in chance.sample(domains, COMPANIES)]
        countries = chance.sample(COUNTRIES, len(COUNTRIES))
        popularity = list(accumulate((rank + 1) ** -0.6 for rank in range(len(countries))))
        people = min(MOST_PEOPLE, round(PEOPLE * max(1.0, scale)))
        sizes = [(rank + 1) ** -0.5 for rank in range(COMPANIES)]
        self.people: list[Visitor] = []
        weights: list[float] = []
        for rank, domain in enumerate(domains):
            home = chance.choices(countries, cum_weights=popularity)[0]
            count = max(2, round(people * sizes[rank] / sum(sizes)))
            ranks = [(place + 1) ** -0.7 for place in range(count)]
            weight = (rank + 1) ** -0.8 / sum(ranks)
            for place in range(count):
                abroad = chance.random() < 0.3
                country = chance.choices(countries, cum_weights=popularity)[0] if abroad else home
                self.people.append(Visitor(_name(place, rank), domain, country))
                weights.append(weight * ranks[place])
        self._weights = weights
        self._first_domains = frozenset(domains[:ALWAYS_THERE])

    def of_month(self, chance: random.Random, month_number: int) -> Crowd:
        """Who visits the site in a month: some companies and many of their people stay away, fewer as the site grows.

        `month_number` counts from 0, the site's first month.
        """
        away = max(LEAST_AWAY, MOST_AWAY - FEWER_AWAY * month_number)
        absent = {visitor.domain for visitor in self.people if visitor.domain not in self._first_domains}
        absent = {domain for domain in sorted(absent) if chance.random() < away / 4}
        weights = [
            0.0 if visitor.domain in absent or (place % 7 and chance.random() < away) else weight
            for place, (visitor, weight) in enumerate(zip(self.people, self._weights, strict=True))
        ]
        return Crowd(self.people, weights)


class Crowd:
    """The people of a month."""

    def __init__(self, people: Sequence[Visitor], weights: Sequence[float]) -> None:
        self.people, self._weights = people, list(accumulate(weights))

    def choose(self, chance: random.Random, count: int) -> Sequence[Visitor]:
        """Who was there, by their activity."""
        return chance.choices(self.people, cum_weights=self._weights, k=count)


def _name(place: int, company: int) -> str:
    """A name that no one else in the company has."""
    turn, first = divmod(place, len(_GIVEN_NAMES))
    last = (21 * turn + 7 * first + company) % len(_FAMILY_NAMES)  # 21 and 80 have no divisor in common
    number = turn // len(_FAMILY_NAMES)
    given = _GIVEN_NAMES[(first + 7 * company) % len(_GIVEN_NAMES)]
    return f"{given}.{_FAMILY_NAMES[last]}{number + 1 if number else ''}"
