"""Files: the invented deliveries that are loaded, and what raw must hold afterwards, computed without the loader.

A process of its own writes them (`python -m bench.files FOLDER ROWS`): what it needs of memory would otherwise be
counted as the loader's, whose process is started from the same parent.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

VERSION = 3  # of the files: raised when they change, so that they are written again
EVENTS = "id,timestamp,email,country,ip,uri,action,tags\n"
BANK = "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE, WITHDRAWAL AMT , DEPOSIT AMT ,BALANCE AMT,.\n"
SMALL_FILES, SMALL_ROWS = 1000, 100
BAD_EVERY = 100
OVERLAP = 10  # a tenth of a month comes again with the next

NAMES = (
    "ada",
    "alan",
    "barbara",
    "claude",
    "dennis",
    "edsger",
    "frances",
    "grace",
    "hedy",
    "john",
    "ken",
    "niklaus",
)
COMPANIES = tuple(f"company{number}.example" for number in range(400))
COUNTRIES = (
    "Kenya",
    "Norway",
    "Chile",
    "Korea, Republic of",
    "Viet Nam",
    "Bolivia, Plurinational State of",
    "Malta",
)
PAGES = ("index", "home", "about", "search", "category", "register", "privacy", "author")
ACTIONS = ("visit", "view", "scroll", "click", "login", "logout")
WORDS = (
    "river",
    "stone",
    "window",
    "garden",
    "paper",
    "silver",
    "market",
    "winter",
    "bridge",
    "summer",
    "coffee",
)


@dataclass
class Truth:
    """What raw must hold: how many rows, and the sum of their digests, in which their order is of no account."""

    rows: int = 0
    digest: int = 0

    def add(self, values: Iterable[str]) -> None:
        """Takes a row in; `digest_of` in bench/scenarios.py is the same in SQL."""
        self.rows += 1
        text = "|".join(filter(None, values))
        self.digest += int.from_bytes(hashlib.md5(text.encode()).digest()[:7], "big")


def write_events(folder: Path, rows: int) -> None:
    """Two months of events, and the first month again: one row corrected, a hundredth bad, every cell quoted."""
    truths = {name: Truth() for name in ("month", "corrected", "bad", "quoted", "next")}
    outputs = {name: (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") for name in truths}
    for stream in outputs.values():
        stream.write(EVENTS)
    kept = rows - rows // OVERLAP
    for number, event in enumerate(events(rows, 1, date(2026, 1, 1))):
        line = in_csv(event)
        outputs["month"].write(line)
        truths["month"].add(event)
        corrected = (*event[:3], "Peru", *event[4:]) if number == rows // 2 else event
        outputs["corrected"].write(in_csv(corrected) if corrected is not event else line)
        truths["corrected"].add(corrected)
        outputs["quoted"].write(",".join(f'"{cell}"' for cell in event) + "\n")
        if number % BAD_EVERY == BAD_EVERY - 1:
            outputs["bad"].write(spoilt(event, number // BAD_EVERY))
        else:
            outputs["bad"].write(line)
            truths["bad"].add(event)
        if number >= kept:
            outputs["next"].write(line)
    truths["quoted"] = truths["month"]
    truths["next"] = Truth(truths["month"].rows, truths["month"].digest)
    for event in events(kept, 2, date(2026, 2, 1)):
        outputs["next"].write(in_csv(event))
        truths["next"].add(event)
    for stream in outputs.values():
        stream.close()
    write_truths(folder, truths)


def write_small(folder: Path, files: int, rows: int) -> None:
    """A file a month, as many months as it takes; and what the first of them adds to the month of events."""
    truth, added = Truth(), read_truths(folder)["month"]
    for number in range(files):
        month = date(2026 - number // 12, number % 12 + 1, 1)
        path = folder / "small" / f"{month:%Y/%m}" / "events.csv"
        path.parent.mkdir(parents=True)
        with path.open("w", encoding="utf-8", newline="") as stream:
            stream.write(EVENTS)
            for event in events(rows, 1000 + number, month):
                stream.write(in_csv(event))
                truth.add(event)
                if not number:
                    added.add(event)
    write_truths(folder, {"small": truth, "added": added})


def write_bank(folder: Path, rows: int) -> None:
    """Movements without a key of their own, one in fifty truly equal to the one before."""
    chance, truth = random.Random(3), Truth()
    with (folder / "bank.csv").open("w", encoding="utf-8", newline="") as stream:
        stream.write(BANK)
        last: tuple[str, ...] = ()
        for number in range(rows):
            row = last if last and number % 50 == 49 else movement(chance, number)
            account, booked, details, cheque, valued, withdrawal, deposit, balance = last = row
            stream.write(
                f"{account}',{booked},{details},{cheque},{valued},{withdrawal},{deposit},{balance},.\n"
            )
            truth.add((account, booked, valued, details, cheque, withdrawal, deposit, balance))
    write_truths(folder, {"bank": truth})


def events(rows: int, seed: int, month: date) -> Iterator[tuple[str, ...]]:
    """Events of a month in the order of their days, the same for the same seed."""
    bits = random.Random(seed).getrandbits
    days = [(month + timedelta(days=day)).isoformat() for day in range(28)]
    for number in range(rows):
        key, drawn = f"{bits(128):032x}", bits(96)
        address, drawn = drawn & 0xFFFFFFFF, drawn >> 32
        words = [WORDS[(drawn >> shift) % len(WORDS)] for shift in (0, 4, 8)]
        yield (
            f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}",
            days[number * 28 // rows],
            f"{NAMES[drawn % len(NAMES)]}.{address % 9973}@{COMPANIES[(drawn >> 12) % len(COMPANIES)]}",
            COUNTRIES[(drawn >> 24) % len(COUNTRIES)],
            f"{address >> 24 or 1}.{address >> 16 & 255}.{address >> 8 & 255}.{address & 255}",
            PAGES[(drawn >> 32) % len(PAGES)],
            ACTIONS[(drawn >> 40) % len(ACTIONS)],
            f"['{words[0]}', '{words[1]}', '{words[2]}']",
        )


def movement(chance: random.Random, number: int) -> tuple[str, ...]:
    """One movement: account, booking date, details, cheque, value date, withdrawal, deposit, balance."""
    day = f"{date(2015, 1, 1) + timedelta(days=number % 1500):%Y-%m-%d}"
    amount = f"{chance.randrange(1, 10**9) / 100:.2f}"
    cheque = str(chance.randrange(10**5, 10**6)) if number % 20 == 0 else ""
    is_withdrawal = chance.random() < 0.5
    details = f"TRF FROM {chance.choice(WORDS)} {chance.randrange(10**6)}"
    return (
        f"{712000000000 + chance.randrange(10):d}",
        day, details, cheque, day,
        amount if is_withdrawal else "", "" if is_withdrawal else amount,
        f"{chance.randrange(-(10**11), 10**11) / 100:.2f}",
    )  # fmt: skip


def in_csv(row: Iterable[str]) -> str:
    """A line of CSV, quoted only where it must be, as the source writes its files."""
    return ",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\n"


def spoilt(event: tuple[str, ...], number: int) -> str:
    """The event as a line that breaks the contract, in one of three ways."""
    if number % 3 == 0:
        return in_csv((f"x{event[0][1:]}", *event[1:]))
    if number % 3 == 1:
        return in_csv((event[0], "2026-13-45", *event[2:]))
    return in_csv(event[:-2])


def write_truths(folder: Path, truths: dict[str, Truth]) -> None:
    """Adds to the folder's truths, by the name of the file."""
    path = folder / "truths.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | {name: asdict(truth) for name, truth in truths.items()}))


def read_truths(folder: Path) -> dict[str, Truth]:
    """What raw must hold after each file."""
    return {name: Truth(**found) for name, found in json.loads((folder / "truths.json").read_text()).items()}


def bad_rows(rows: int) -> int:
    """How many rows of the spoilt file break the contract."""
    return rows // BAD_EVERY


def main(folder: Path, rows: int) -> None:
    """Everything for one size, whole or not at all: the folder gets its name when all is written."""
    growing = folder.with_name(f"{folder.name}.part")
    growing.mkdir(parents=True)
    write_events(growing, rows)
    write_small(growing, max(1, min(SMALL_FILES, rows // 1000)), SMALL_ROWS)
    write_bank(growing, max(1, rows // 2))
    growing.rename(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
