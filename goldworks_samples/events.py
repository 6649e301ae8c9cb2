"""Events: what happened on an invented site, day by day; the same event whichever drop it comes with.

A month's events are numbered from 0, in the order of their days. Each hundredth of a day's events is made by a chance
of its own, so that any of them are made again, for a later drop, without those before them.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from goldworks_samples.visitors import COUNTRIES, Visitor, Visitors

MONTHS = 3  # of the site's life that have a file: its busiest days are still to come
EVENTS_A_DAY = 2_360
BLOCK = 1_000

ACTIONS = {"visit": 70, "click": 12, "search": 7, "login": 5, "download": 3, "signup": 2, "purchase": 1}
UNKNOWN_ACTIONS = ("vist", "VISIT", "null", "click2", "undefined")
PAGES = {
    "index": 30, "products": 16, "pricing": 10, "docs": 10, "blog": 9, "search": 7, "login": 6, "contact": 4,
    "about": 3, "careers": 2, "downloads": 2, "faq": 1,
}  # fmt: skip
INVALID_IPS = (
    "203.0.113.256", "192.0.2", "198.51.100.7.1", "192.0.2.-1", "2001:db8::zz", "2001:db8:::1", "unknown", "0x7f.1",
)  # fmt: skip
_WORDS = (
    "apple", "blue", "coffee", "don't", "early", "earth", "evening", "fast", "green", "home", "it's", "learn", "lunch",
    "map", "meadow", "new", "offer", "paper", "pilot", "quiet", "red", "return", "sale", "school", "slow", "spring",
    "table", "tea", "today", "visit, again", "walk", "weekend", "winter", "yes",
)  # fmt: skip
_LISTS_OF_TAGS = 2_000
_SHARES = {"slashes": 0.3, "capitals": 0.005, "abroad": 0.04, "nowhere": 0.002, "version_6": 0.2}
INVALID_IP_SHARE, UNKNOWN_ACTION_SHARE, LEAST = 0.003, 0.002, 4


class Event(NamedTuple):  # as a dataclass, which is slower to make, it would double the time of a month
    """One event, its cells as text without the quotes of CSV."""

    event_id: str
    day: str
    email: str
    country: str
    ip: str
    uri: str
    action: str
    tags: str


class Site:
    """The invented site at a size: who visits it, and what they do in a month."""

    def __init__(self, seed: int, scale: float, today: date, faults: bool = True) -> None:
        self.seed, self.scale, self.faults = seed, scale, faults
        self.opened = opened_before(today)
        self.visitors = Visitors(seed, scale)
        chance = random.Random(f"{seed} tags")  # noqa: S311 (samples, not secrets)
        self.tags = [
            repr(chance.sample(_WORDS, chance.choices((0, 1, 2, 3, 4), (4, 20, 36, 30, 10))[0]))
            for _ in range(_LISTS_OF_TAGS)
        ]

    def month(self, first: date) -> Month:
        """The month that begins on `first`."""
        return Month(self, first)


class Month:
    """A month's events, and which of them are wrong at their source: those have the fault in every delivery."""

    def __init__(self, site: Site, first: date) -> None:
        self.site, self.first = site, first
        self.days = [first + timedelta(n) for n in range((next_month(first) - first).days)]
        self.starts = [0, *accumulate(self._size(day) for day in self.days)]
        self.count = self.starts[-1]
        number = 12 * (first.year - site.opened.year) + first.month - site.opened.month
        self.visitors = site.visitors.of_month(self.chance("visitors"), number)

    @property
    def last_day(self) -> range:
        """The numbers of the events of the last day."""
        return range(self.starts[-2], self.count)

    @cached_property
    def invalid_ips(self) -> frozenset[int]:
        """Events whose address is none."""
        return self.some("invalid IPs", INVALID_IP_SHARE) if self.site.faults else frozenset()

    @cached_property
    def unknown_actions(self) -> frozenset[int]:
        """Events with an unknown action."""
        return self.some("unknown actions", UNKNOWN_ACTION_SHARE) if self.site.faults else frozenset()

    def some(self, what: str, share: float, least: int = LEAST, among: range | None = None) -> frozenset[int]:
        """That share of the events, by chance; at least so many."""
        among = range(self.count) if among is None else among
        return frozenset(
            self.chance(what).sample(among, min(len(among), max(least, round(share * len(among)))))
        )

    def chance(self, what: str) -> random.Random:
        """A chance that is the month's own, for one purpose."""
        return random.Random(f"{self.site.seed} {self.first} {what}")  # noqa: S311 (samples, not secrets)

    def events(self, numbers: range | None = None, corrected: bool = False) -> Iterator[tuple[int, Event]]:
        """Events with their numbers; `corrected` as their source should have sent them."""
        numbers = range(self.count) if numbers is None else numbers
        if not numbers:
            return
        first_day = bisect_right(self.starts, numbers.start) - 1
        for place in range(first_day, len(self.days)):
            for start in range(self.starts[place], self.starts[place + 1], BLOCK):
                if start >= numbers.stop:
                    return
                if start + BLOCK > numbers.start:
                    stop = min(start + BLOCK, self.starts[place + 1])
                    for number, event in enumerate(
                        self._block(self.days[place], start, stop, corrected), start
                    ):
                        if number in numbers:
                            yield number, event

    def _size(self, day: date) -> int:
        """How many events a day has: fewer at weekends, more as the site grows."""
        chance = random.Random(f"{self.site.seed} {day} size")  # noqa: S311 (samples, not secrets)
        usual = (
            EVENTS_A_DAY * (0.55 if day.weekday() >= 5 else 1.0) * (1 + 0.002 * (day - self.site.opened).days)
        )
        return max(8, round(self.site.scale * usual * chance.uniform(0.92, 1.08)))

    def _block(self, day: date, start: int, stop: int, corrected: bool) -> Iterator[Event]:
        chance = self.chance(f"block {start}")
        invalid_ips = frozenset() if corrected else self.invalid_ips
        unknown_actions = frozenset() if corrected else self.unknown_actions
        count, draw, bits = stop - start, chance.random, chance.getrandbits
        forms = (day.isoformat(), f"{day:%Y/%m/%d}")
        visitors = self.visitors.choose(chance, count)
        pages = chance.choices(list(PAGES), list(PAGES.values()), k=count)
        actions = chance.choices(list(ACTIONS), list(ACTIONS.values()), k=count)
        tags = chance.choices(self.site.tags, k=count)
        for number, who, page, action, tag in zip(
            range(start, stop), visitors, pages, actions, tags, strict=True
        ):
            ip = _address_6(bits(33)) if draw() < _SHARES["version_6"] else _address_4(bits(10))
            if number in invalid_ips:
                ip = INVALID_IPS[number % len(INVALID_IPS)]
            if number in unknown_actions:
                action = UNKNOWN_ACTIONS[number % len(UNKNOWN_ACTIONS)]
            yield Event(
                _uuid(bits(128)),
                forms[draw() < _SHARES["slashes"]],
                _email(who, draw()),
                _country(who, chance, draw()),
                ip,
                page,
                action,
                tag,
            )


def opened_before(today: date) -> date:
    """The site's first day: the last month that has its file is the one before that of `today`."""
    year, month = divmod(12 * today.year + today.month - 1 - MONTHS, 12)
    return date(year, month + 1, 1)


def next_month(first: date) -> date:
    """The first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _uuid(bits: int) -> str:
    """A UUID of version 4."""
    digits = f"{bits & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0x2 << 62:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _email(who: Visitor, drawn: float) -> str:
    """Some write the company's name in capitals, as programs that send mail may."""
    return f"{who.name}@{who.domain if drawn >= _SHARES['capitals'] else who.domain.title()}"


def _country(who: Visitor, chance: random.Random, drawn: float) -> str:
    """Usually the person's; sometimes another, rarely none."""
    if drawn < _SHARES["nowhere"]:
        return ""
    return chance.choice(COUNTRIES) if drawn < _SHARES["abroad"] else who.country


def _address_4(bits: int) -> str:
    """From the ranges that are kept for documentation."""
    return f"{('192.0.2', '198.51.100', '203.0.113', '203.0.113')[bits >> 8]}.{bits & 255}"


def _address_6(bits: int) -> str:
    """From the range that is kept for documentation, short or written out."""
    high, low = bits >> 16 & 0xFFFF, bits & 0xFFFF
    return (
        f"2001:db8:{high:x}::{low:x}" if bits >> 32 else f"2001:0DB8:0000:0000:0000:0000:{high:04X}:{low:04X}"
    )
