"""Bank samples: six accounts over eighteen months up to yesterday, in the shapes in which a bank's exports come.

An account's movements come whole (`accounts/`, a re-export) or as the core system wrote them (`exports/`); one file is
gzipped under an ordinary name, one repeats all of an earlier one and continues, one is a copy, one has malformed rows.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from goldworks_samples.drop import LandingWriter, SampleDrop
from goldworks_samples.movements import (
    CHARGES,
    COLLECTIONS,
    OPERATIONS,
    PAYROLL,
    SETTLEMENT,
    TREASURY,
    Movement,
    first_day,
    movements_of,
)

FOLDER = "bank_transactions"
ACCOUNT_HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE,"
    "WITHDRAWAL AMT,DEPOSIT AMT,BALANCE AMT,DISCREPANCIES"
)
EXPORT_HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,."
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MALFORMED_SHARE = 0.01
README = b"Exports of the sample bank. This object is here because real folders also hold such things.\n"


def write_bank(
    write: LandingWriter, seed: int, scale: float, faults: bool, today: date
) -> tuple[SampleDrop, ...]:
    """Writes the drops of domain `bank`, with movements up to the day before `today`."""
    drops: list[SampleDrop] = []

    def deliver(name: str, data: bytes, rows: int, note: str, bad_rows: int = 0) -> None:
        write(f"{FOLDER}/{name}", data)
        drops.append(SampleDrop(f"{FOLDER}/{name}", rows, bad_rows, note))

    for account, note in ((TREASURY, "withdrawals over 1,000,000,000 INR"), (OPERATIONS, "with cheques")):
        movements = movements_of(account, seed, scale, today)
        deliver(
            f"accounts/{account.number}.csv",
            _account_file(movements, seed),
            len(movements),
            f"whole account, {note}",
        )
    movements = movements_of(COLLECTIONS, seed, scale, today)
    packed = _gzip_in_two_members(_account_file(movements, seed))
    deliver(
        f"accounts/{COLLECTIONS.number}.csv",
        packed,
        len(movements),
        "whole account, gzipped under an ordinary name",
    )

    movements = movements_of(SETTLEMENT, seed, scale, today)
    year_end = _middle_year_end(first_day(today), today)
    earlier = [one for one in movements if one.booked <= year_end]
    note = "as the core system exports, withdrawals over 1,000,000,000 INR"
    shorter = f"settlement_{_years(first_day(today), year_end)}.csv"
    longer = f"settlement_{_years(first_day(today), today - timedelta(days=1))}.csv"
    deliver(f"exports/{shorter}", _export_file(earlier, _short_day, _thousands), len(earlier), note)
    whole = _export_file(movements, _short_day, _thousands)
    deliver(f"exports/{longer}", whole, len(movements), f"repeats {shorter} and continues")

    movements = movements_of(PAYROLL, seed, scale, today)
    payroll = _export_file(movements, _long_day, _lakhs)
    deliver("exports/payroll.csv", payroll, len(movements), "Indian grouping, quoted dates")
    deliver(
        "exports/payroll_copy.csv", payroll, len(movements), "the bytes of payroll.csv under another name"
    )

    movements = movements_of(CHARGES, seed, scale, today)
    lines = _export_lines(movements, _short_day, _lakhs)
    bad_rows = _spoil(lines, seed) if faults else 0
    note = (
        "columns missing, impossible dates, bytes that are not UTF-8, unclosed quotes"
        if faults
        else "small amounts"
    )
    deliver("exports/charges.csv", b"\r\n".join([*lines, b""]), len(movements), note, bad_rows)
    if faults:
        deliver("readme.txt", README, 0, "no contract matches it")
    return tuple(drops)


def _middle_year_end(first: date, today: date) -> date:
    """The 31 December that cuts the days from `first` to `today` most evenly; eighteen months have one or two."""
    ends = [date(year, 12, 31) for year in range(first.year, today.year)]
    return min(ends, key=lambda end: abs((end - first) - (today - end)))


def _years(first: date, last: date) -> str:
    return f"{first.year}" if first.year == last.year else f"{first.year}_{last.year}"


def _account_file(movements: Sequence[Movement], seed: int) -> bytes:
    """The re-export's shape: a blank before every cell but the first and the last, ISO dates, plain numbers."""
    chance = random.Random(f"{seed} discrepancies")  # noqa: S311 (samples, not secrets)
    lines = [ACCOUNT_HEADER]
    for one in movements:
        cells = [
            one.booked.isoformat(),
            _cell(one.details),
            one.cheque,
            one.valued.isoformat(),
            _plain(one.withdrawal),
            _plain(one.deposit),
            _plain(one.balance),
        ]
        noise = 0.0 if chance.random() < 0.4 else chance.choice((-1, 1)) * 2.0 ** -chance.randint(7, 30)
        lines.append(f"{one.account}', " + ", ".join(cells) + f",{_scientific(noise)}")
    return "\n".join([*lines, ""]).encode()


def _export_file(
    movements: Sequence[Movement], day: Callable[[date], str], amount: Callable[[int], str]
) -> bytes:
    return b"\r\n".join([*_export_lines(movements, day, amount), b""])


def _export_lines(
    movements: Sequence[Movement], day: Callable[[date], str], amount: Callable[[int], str]
) -> list[bytes]:
    """The core system's shape: padded names, amounts quoted where they have commas, a last column of dots."""
    lines = [EXPORT_HEADER]
    for one in movements:
        cells = [
            f"{one.account}'",
            _cell(day(one.booked)),
            _cell(one.details),
            one.cheque,
            _cell(day(one.valued)),
            "" if one.withdrawal is None else _cell(amount(one.withdrawal)),
            "" if one.deposit is None else _cell(amount(one.deposit)),
            _cell(amount(one.balance)),
            ".",
        ]
        lines.append(",".join(cells))
    return [line.encode() for line in lines]


def _spoil(lines: list[bytes], seed: int) -> int:
    """Breaks about one line in a hundred, in four ways by turns, and says how many."""
    chance = random.Random(f"{seed} faults")  # noqa: S311 (samples, not secrets)
    ways = (_without_columns, _with_impossible_date, _with_foreign_byte, _with_open_quote)
    count = max(len(ways), round(MALFORMED_SHARE * (len(lines) - 1)))
    # Never neighbours: a quote left open must meet an ordinary line next.
    places = [place * 2 + 1 for place in chance.sample(range((len(lines) - 1) // 2), count)]
    for i, place in enumerate(sorted(places)):
        lines[place] = ways[i % len(ways)](lines[place])
    return count


def _without_columns(line: bytes) -> bytes:
    return b",".join(line.split(b",")[:4])


def _with_impossible_date(line: bytes) -> bytes:
    account, _, rest = line.split(b",", 2)
    return b",".join([account, b"31-Feb-26", rest])


def _with_foreign_byte(line: bytes) -> bytes:
    account, booked, rest = line.split(b",", 2)
    return b",".join([account, booked, b"CAF\xc9 " + rest])


def _with_open_quote(line: bytes) -> bytes:
    """The balance opens a quote that nothing on the line closes."""
    if line.endswith(b'",.'):
        return line.removesuffix(b'",.') + b",."
    start, balance, dot = line.rsplit(b",", 2)
    return b",".join([start, b'"' + balance, dot])


def _cell(text: str) -> str:
    """Quoted where CSV asks for it."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _short_day(day: date) -> str:
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year % 100:02d}"


def _long_day(day: date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year % 100:02d}"


def _plain(paise: int | None) -> str:
    """1500 -> '15', 1550 -> '15.5', None -> ''."""
    if paise is None:
        return ""
    rupees, rest = divmod(abs(paise), 100)
    return ("-" if paise < 0 else "") + f"{rupees}.{rest:02d}".rstrip("0").rstrip(".")


def _thousands(paise: int) -> str:
    """123456789 -> '1,234,567.89'."""
    rupees, rest = divmod(abs(paise), 100)
    return ("-" if paise < 0 else "") + f"{rupees:,}.{rest:02d}"


def _lakhs(paise: int) -> str:
    """123456789 -> '12,34,567.89': hundreds, then thousands, lakhs and crores by two digits."""
    rupees, rest = divmod(abs(paise), 100)
    high, low = divmod(rupees, 1000)
    groups = [f"{low:03d}" if high else str(low)]
    while high:
        high, pair = divmod(high, 100)
        groups.insert(0, f"{pair:02d}" if high else str(pair))
    return ("-" if paise < 0 else "") + ",".join(groups) + f".{rest:02d}"


def _scientific(number: float) -> str:
    """As Java writes it: 0.0, 0.0078125, 9.313225746154785E-10."""
    return repr(number).replace("e-0", "E-").replace("e-", "E-")


def _gzip_in_two_members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half], mtime=0) + gzip.compress(data[half:], mtime=0)
