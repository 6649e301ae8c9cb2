"""Movements: invented accounts of an invented company, with balances that add up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

MONTHS = 18  # that a record goes back
SUNDAY = 6
LONGEST_DETAILS = 34
FEWEST_MOVEMENTS = 24

PARTIES = (
    *(
        "BLUE HERON LOGISTICS",
        "QUIET RIVER FOODS",
        "TIN LANTERN MEDIA",
        "MARBLE KITE TEXTILES",
        "SEVEN WELLS SEEDS",
    ),
    *(
        "PAPER MOON RETAIL",
        "COPPER GATE TOOLS",
        "NINE BANYAN DAIRY",
        "OLD FERRY SPICES",
        "KITE, SPOOL AND CO",
    ),
    *(
        "HALF MAST SHIPPING",
        "RED TERRACE STAYS",
        "SALT PAN CHEMICALS",
        "LOW TIDE FISHERIES",
        'THE "OWL" BOOKSHOP',
    ),
)


@dataclass(frozen=True)
class Account:
    """An account and what is usual on it; money in paise (a hundredth of a rupee)."""

    number: str
    movements: int
    opening: int
    usual_amount: int
    withdrawal_share: float
    withdrawals: tuple[str, ...]
    deposits: tuple[str, ...]
    cheque_share: float = 0.0


@dataclass(frozen=True)
class Movement:
    """One movement, in paise; the balance is the account's after it."""

    account: str
    booked: date
    details: str
    cheque: str
    valued: date
    withdrawal: int | None
    deposit: int | None
    balance: int


TREASURY = Account(
    "502000118734", 420, -85_000_000_000, 4_500_000_000, 0.5,
    ("TRF TO  {party}", "RTGS OUT/{ref}/{party}", "{account}:INT.COLL:{day}-"),
    ("TRF FROM  {party}", "RTGS/{ref}/{party}", "FUND RELEASE  {party}"),
)  # fmt: skip
SETTLEMENT = Account(
    "502000204581", 2600, 31_250_000_000, 350_000_000, 0.5,
    ("CARD STL OUT {day} B{batch}", "REFUND STL {day} B{batch}", "TRF TO  {party}"),
    ("CARD STL {day} B{batch}", "UPI STL {day} B{batch}", "POS INCOME {day} T{batch}"),
)  # fmt: skip
OPERATIONS = Account(
    "502000367290", 1450, 1_204_550_075, 7_800_000, 0.55,
    ("NEFT OUT/{ref}/{party}", "CHQ PAID  {party}", "POWER BILL {day}", "LORRY HIRE {party}"),
    ("NEFT/{ref}/{party}", "IMPS/P2A/{batch}/{party}", "CASH DEPOSIT  BR {batch}"),
    cheque_share=0.12,
)  # fmt: skip
CHARGES = Account(
    "7300215", 820, 4_512_300, 26_000, 0.7,
    ("ATM WDL FEE DT{day}", "GST ON CHARGES {day}", "SMS CHARGES {day}", "LOCKER RENT {batch}"),
    ("FEE INCOME {day}", "CHARGES REVERSED {batch}"),
)  # fmt: skip
PAYROLL = Account(
    "502000455117", 310, 240_000_000, 95_000_000, 0.5,
    ("SALARY BATCH {batch}", "PF REMITTANCE {day}", "ESI REMITTANCE {day}"),
    ("TRF FRM  {party}", "PAYROLL FUNDING {day}"),
)  # fmt: skip
COLLECTIONS = Account(
    "502000581903", 640, 18_900_000, 2_100_000, 0.3,
    ("SWEEP TO  {party}", "CHQ RETURN  {party}"),
    ("CHQ DEP  {party}", "NEFT/{ref}/{party}", "NACH CR {batch} {party}"),
    cheque_share=0.3,
)  # fmt: skip


def first_day(today: date) -> date:
    """The first day of a record: that of the month a year and a half before the one of the day before `today`."""
    last = today - timedelta(days=1)
    year, month = divmod(last.year * 12 + last.month - MONTHS, 12)
    return date(year, month + 1, 1)


def movements_of(account: Account, seed: int, scale: float, today: date) -> list[Movement]:
    """An account's movements in booking order, up to the day before `today`.

    A smaller scale means fewer but larger ones: totals stay of a size.
    """
    chance = random.Random(f"{seed} {account.number}")  # noqa: S311 (samples, not secrets)
    days = [day for day in _days(today) if day.weekday() != SUNDAY]
    count = max(FEWEST_MOVEMENTS, round(account.movements * scale))
    usual = account.usual_amount / min(1.0, scale)
    movements: list[Movement] = []
    balance = account.opening
    for booked in sorted(chance.choices(days, k=count)):
        amount = max(100, round(chance.lognormvariate(0, 0.8) * usual))
        if chance.random() < 0.6:
            amount -= amount % 100  # whole rupees
        is_withdrawal = chance.random() < account.withdrawal_share
        balance += -amount if is_withdrawal else amount
        movements.append(
            Movement(
                account.number,
                booked,
                _details(account, is_withdrawal, booked, chance),
                _cheque(account, chance),
                booked - timedelta(days=chance.randint(1, 9)) if chance.random() < 0.004 else booked,
                amount if is_withdrawal else None,
                None if is_withdrawal else amount,
                balance,
            )
        )
    return _with_equal_movements(movements)


def _days(today: date) -> Iterator[date]:
    first = first_day(today)
    return (first + timedelta(days=n) for n in range((today - first).days))


def _details(account: Account, is_withdrawal: bool, booked: date, chance: random.Random) -> str:
    if chance.random() < 0.015:
        return ""
    text = chance.choice(account.withdrawals if is_withdrawal else account.deposits).format(
        account=account.number,
        party=chance.choice(PARTIES),
        ref=f"SMPL{chance.randrange(10**9):09d}",
        batch=f"{chance.randrange(10**4):04d}",
        day=f"{booked:%d%m%y}",
    )
    return text[:LONGEST_DETAILS].rstrip()


def _cheque(account: Account, chance: random.Random) -> str:
    if chance.random() >= account.cheque_share:
        return ""
    number = str(chance.randrange(100_000, 1_000_000))
    return f"{number}.0" if chance.random() < 0.8 else number  # a spreadsheet made them floats


def _with_equal_movements(movements: list[Movement]) -> list[Movement]:
    """With a few booked, reversed and booked again on the same day: the first and the last are truly equal."""
    result: list[Movement] = []
    for i, one in enumerate(movements):
        result.append(one)
        if i % 150 == 11:
            before = one.balance + (one.withdrawal or 0) - (one.deposit or 0)
            reversal = replace(
                one, details="REVERSED", withdrawal=one.deposit, deposit=one.withdrawal, balance=before
            )
            result += [reversal, one]
    return result
