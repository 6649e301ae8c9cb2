"""Sales samples: a shop's sales, a file an hour, with what goes wrong between its tills and its files.

The first drop brings the half year before; then comes a drop for each hour of the last three days, and in the evening
the day's restatements: the first eight columns of some sales, one of them corrected. Numbers come in digits or words,
dates in two forms, ids with a letter or without; some rows come twice, some again with the next hour, some can't be
read at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from goldworks_samples.drop import LandingWriter, SampleDrop
from goldworks_samples.shop import PRODUCTS, Person, Shop, spelled

SALES, RESTATEMENTS = "customer_transactions", "transaction_restatements"
HEADER = (
    "transaction_id,customer_id,transaction_date,product_id,product_name,quantity,price,tax,customer_first_name,"
    "customer_last_name,customer_email,customer_phone,customer_country,customer_city"
)
RESTATED_HEADER = ",".join(HEADER.split(",")[:8])
DAYS = 3  # with a drop an hour
OPENS, CLOSES = 9, 20  # the hours of the first and the last drop of a day
BEFORE = 181  # days that the first drop goes back
BEFORE_ROWS, HOUR_ROWS = 22_000, 10  # about as many a day
CLOSED = (1, 13)  # an hour of a day, counted from 0, without a sale
COPIED = (2, 20)  # an hour in which the drop of the hour before came again under its own name
TAX_RATE = 0.2
FIRST_NUMBER = 70_001


@dataclass(frozen=True)
class Sale:
    """One sale as it was; money in hundredths. What is None the shop never knew."""

    number: int
    day: date | None
    product: int | None
    quantity: int | None
    price: int
    tax: int
    buyer: Person | None


@dataclass
class _Content:
    """The lines of one file, and how many of them are of which kind."""

    lines: list[bytes] = field(default_factory=list)
    malformed: int = 0
    repeated: int = 0
    again: int = 0
    changed: int = 0

    def __str__(self) -> str:
        counts = {
            "repeated": self.repeated, "of the hour before again": self.again, "with the quantity now": self.changed,
        }  # fmt: skip
        return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def write_sales(
    write: LandingWriter, seed: int, scale: float, faults: bool, today: date
) -> tuple[SampleDrop, ...]:
    """Writes the drops of domain `sales`, hour by hour, up to the evening before `today`.

    Without `faults`, each sale comes once, each file is its own, and no row is malformed.
    """
    first_day = today - timedelta(DAYS)
    till = _Till(Shop(seed, scale), faults, first_day)
    drops: list[SampleDrop] = []

    def deliver(dataset: str, day: date, hour: int, content: _Content, note: str = "") -> None:
        key = f"{dataset}/{day:%Y/%m/%d}/{hour:02d}/{dataset}.csv"
        header = HEADER if dataset == SALES else RESTATED_HEADER
        write(key, b"\n".join([header.encode(), *content.lines]))
        drops.append(SampleDrop(key, len(content.lines), content.malformed, note or str(content)))

    before = till.drop([first_day - timedelta(days) for days in range(BEFORE, 0, -1)], BEFORE_ROWS)
    deliver(SALES, first_day, 0, before, "the half year before")
    for number in range(DAYS):
        day, content = first_day + timedelta(number), _Content()
        for hour in range(OPENS, CLOSES + 1):
            if faults and (number, hour) == COPIED:
                deliver(SALES, day, hour, content, "the bytes of the hour before")
                continue
            content = till.drop([day], 0 if (number, hour) == CLOSED else HOUR_ROWS)
            deliver(SALES, day, hour, content, "no sale" if not content.lines else "")
        deliver(RESTATEMENTS, day, CLOSES + 1, till.restatements(), "the day's sales, one with another date")
    return tuple(drops)


class _Till:
    """Makes the drops one after the other; knows what the last of them sold."""

    def __init__(self, shop: Shop, faults: bool, first_day: date) -> None:
        self.shop = shop
        self.faults = faults
        self.first_day = first_day
        self.sold = 0  # sales so far, also their numbers
        self.drops = 0
        self.hour: list[Sale] = []
        self.today: list[Sale] = []
        self.regulars = max(1, shop.people // 20)

    def drop(self, days: list[date], rows: int) -> _Content:
        """A file of `rows` times the scale sales on these days, and what comes beside them."""
        self.drops += 1
        chance = self.shop.chance(f"drop {self.drops}")
        content = _Content()
        if rows:
            rows = max(1, round(rows * self.shop.scale))
            former, self.hour = self.hour, [self._sale(chance, days, row, rows) for row in range(rows)]
            self.today = (self.hour if len(days) > 1 else self.today + self.hour)[-1_000:]
            if self.faults and len(days) == 1:
                self._again(content, chance, former)
            for sale in self.hour:
                content.lines.append(_line(sale, chance))
                if self.faults and chance.random() < 0.01:
                    content.lines.append(content.lines[-1])
                    content.repeated += 1
            if self.faults:
                for line in self._malformed(chance, len(content.lines)):
                    content.lines.insert(chance.randint(0, len(content.lines)), line)
                    content.malformed += 1
        return content

    def restatements(self) -> _Content:
        """The day's sales again without their buyers: one on another day, one with its quantity, the rest as they were.

        Two restate what no sale has brought: one that never will be, and one that the next day's first sale is.
        """
        chance = self.shop.chance(f"restated {self.drops}")
        content = _Content()
        some = self.today[-max(3, len(self.today) // 4) :]
        for place, sale in enumerate(some):
            if place == 0 and sale.day:
                sale = replace(sale, day=sale.day - timedelta(days=2))
            if place == 1:
                sale = replace(sale, quantity=3)
            content.lines.append(_restated_line(sale, chance, sparse=place == 2))
        lost = Sale(990_000_000 + self.drops, self.first_day, 40, 1, PRODUCTS[40][1], 700, None)
        early = Sale(FIRST_NUMBER + self.sold, None, None, 2, PRODUCTS[41][1], 850, None)
        content.lines += [_restated_line(sale, chance, sparse=False) for sale in (lost, early)]
        self.today = []
        return content

    def _sale(self, chance: Random, days: list[date], row: int, rows: int) -> Sale:
        self.sold += 1
        product = chance.choices(list(PRODUCTS), weights=range(len(PRODUCTS), 0, -1))[0]
        price = PRODUCTS[product][1]
        if chance.random() < 0.7:
            price = max(100, price + chance.randint(-500, 500))
        if chance.random() < 0.15:
            price = round(price, -2)
        quantity = chance.choices((1, 2, 3, 4, 5), weights=(8, 5, 3, 2, 1))[0]
        regular = chance.random() < 0.4
        buyer = self.shop.person(chance.randrange(self.regulars if regular else self.shop.people))
        day = days[row * len(days) // rows]
        return Sale(
            number=FIRST_NUMBER + self.sold - 1,
            day=None if chance.random() < 0.003 else day,
            product=None if chance.random() < 0.003 else product,
            quantity=None if chance.random() < 0.1 else quantity,
            price=price,
            tax=round(int(price * quantity * TAX_RATE), -2 if chance.random() < 0.1 else 0),
            buyer=buyer,
        )

    def _again(self, content: _Content, chance: Random, former: list[Sale]) -> None:
        """Some of the former hour's sales: as they were, or with the quantity that was missing."""
        for sale in former[-max(2, len(self.hour) // 10) :]:
            content.again += 1
            if sale.quantity is None:
                sale = replace(sale, quantity=1)
                content.changed += 1
            content.lines.append(_line(sale, chance))

    def _malformed(self, chance: Random, lines: int) -> Iterator[bytes]:
        """Rows of sales of their own that can't be read: all kinds in a large file, one in a third of the small."""
        many = len(_MALFORMATIONS) if lines > 100 * len(_MALFORMATIONS) else int(self.drops % 3 == 0)
        for place in range(many):
            sale = Sale(
                800_000 + 100 * self.drops + place, self.first_day, 42, 1, 2_780, 463, self.shop.person(0)
            )
            cells = _cells(sale, chance)
            yield _MALFORMATIONS[(self.drops // 3 + place) % len(_MALFORMATIONS)](cells)


def _cells(sale: Sale, chance: Random) -> list[str]:
    """A row as the shop's people and programs write it."""
    buyer = sale.buyer
    nameless = chance.random() < 0.12
    cells = [
        f"{'T' if chance.random() < 0.1 else ''}{sale.number}",
        "" if buyer is None or nameless else f"{buyer.till_number}.0",
        "" if sale.day is None else f"{sale.day:%d-%m-%Y}" if chance.random() < 0.12 else f"{sale.day}",
        "" if sale.product is None else f"{'P' if chance.random() < 0.08 else ''}{sale.product}",
        "" if sale.product is None else PRODUCTS[sale.product][0],
        "" if sale.quantity is None else f"{sale.quantity}.0",
        _money(sale.price, chance),
        _money(sale.tax, chance),
    ]
    if buyer is None:
        return cells
    country, city = ("", "") if chance.random() < 0.01 else (buyer.country, buyer.city)
    return [*cells, buyer.first_name, buyer.last_name, buyer.email, buyer.phone, country, city]


def _line(sale: Sale, chance: Random) -> bytes:
    return ",".join(_cells(sale, chance)).encode()


def _restated_line(sale: Sale, chance: Random, sparse: bool) -> bytes:
    """The first eight columns; a sparse one says the tax alone."""
    cells = _cells(sale, chance)[:8]
    return ",".join([cells[0], *[""] * 6, cells[7]] if sparse else cells).encode()


def _money(hundredths: int, chance: Random) -> str:
    """In digits, mostly without trailing zeros; whole amounts sometimes in words."""
    whole, rest = divmod(hundredths, 100)
    if rest == 0 and chance.random() < 0.4:
        return spelled(whole, chance)
    return f"{whole}.{rest:02d}".removesuffix("0")


def _with(place: int, text: str) -> Callable[[list[str]], bytes]:
    def spoil(cells: list[str]) -> bytes:
        return ",".join([*cells[:place], text, *cells[place + 1 :]]).encode()

    return spoil


def _foreign_byte(cells: list[str]) -> bytes:
    return ",".join(cells).encode().replace(b"@", b"\xe9@", 1)


def _cells_missing(cells: list[str]) -> bytes:
    return ",".join(cells[:5]).encode()


def _comma_unquoted(cells: list[str]) -> bytes:
    return ",".join([*cells, "Centre"]).encode()


_MALFORMATIONS = (
    _with(6, "two two"), _with(7, "fiveteen"), _with(6, "hundred two hundred"), _with(0, ""), _with(2, "30-02-2026"),
    _with(5, "1.5"), _with(1, "C77"), _cells_missing, _comma_unquoted, _foreign_byte,
)  # fmt: skip
