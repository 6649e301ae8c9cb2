"""Feeds for the tests of dbt: each domain's drops, small and colliding, and the answers to its questions in Python.

The loader itself brings them in: new files, corrections that withdraw and update, copies, overlaps, withdrawals.
"""

import ipaddress
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from data_ingestion.contract import Contract, read_contract
from data_ingestion.discovery import discover
from data_ingestion.landing import FolderLanding
from data_ingestion.load import load_drops
from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.base import Warehouse
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.integration.dbt_session import ROOT
from tests.integration.limits import without_limits

BANK_HEADER = (
    "Account No,DATE,TRANSACTION DETAILS,CHQ.NO.,VALUE DATE,"
    "WITHDRAWAL AMT,DEPOSIT AMT,BALANCE AMT,DISCREPANCIES"
)
WEB_HEADER = "id,timestamp,email,country,ip,uri,action,tags"
# Few movements on few accounts and days, so that drops collide; the last column is no part of the key.
MOVEMENTS = [
    (f"100000{account}'", f"2024-01-{day:02d}", kind, f"2024-01-{day - day % 2 + 1:02d}", balance)
    for account in (1, 2)
    for day in (1, 2, 6)
    for kind, balance in (("out", 500_000_000 * account), ("in", 100 * day))
]
EVENTS = [str(uuid.UUID(int=number)) for number in range(1, 13)]
DAYS = ("2023-12-31", "2024/01/31", "2024-02-01", "2024-02-02", "2024/02/29")
PEOPLE = ("ann@harbour.example", "Ann@harbour.example", "bo@harbour.example", "cy@mill.example", "nobody")
ADDRESSES = ("192.0.2.7", "2001:db8::7", "192.0.2.256", "2001:db8:::7", "")
ACTIONS = ("visit", "click", "vist", "")


class Feed(Protocol):
    """A dataset's drops."""

    contract: Contract
    keys: Sequence[str]

    def random_drop(self, chance: random.Random) -> bytes:
        """The bytes of a file that the source might send."""


class Bank:
    """Movements: without a key, so that overlapping exports repeat them."""

    contract = read_contract(ROOT / "contracts/bank/bank_transactions.odcs.yaml")
    keys = tuple(f"bank_transactions/{name}.csv" for name in "abcd")

    def drop(self, rows: Iterable[tuple[int, object]]) -> bytes:
        """`rows` are numbers of MOVEMENTS, each with what the bank says of its discrepancy."""
        lines = [BANK_HEADER]
        for number, discrepancy in rows:
            account, booked, kind, valued, balance = MOVEMENTS[number]
            out, into = (balance, "") if kind == "out" else ("", balance)
            lines.append(f"{account},{booked},{kind},,{valued},{out},{into},{balance},{discrepancy}")
        return ("\n".join(lines) + "\n").encode()

    def random_drop(self, chance: random.Random) -> bytes:
        picked = chance.choices(range(len(MOVEMENTS)), k=chance.randint(1, 12))
        return self.drop((number, chance.choice(["", 0.5, 1.5])) for number in picked)


class Web:
    """Events: each names itself, and a later month may say otherwise of it, its day too."""

    contract = read_contract(ROOT / "contracts/web/events.odcs.yaml")
    keys = tuple(f"2024/{month:02d}/events.csv" for month in (1, 2, 3))

    def drop(self, rows: Iterable[Sequence[str]]) -> bytes:
        """`rows` are id, day, e-mail, country, address and action."""
        lines = [
            f"{event},{day},{email},\"{country}\",{ip},index,{action},\"['a', 'b']\""
            for event, day, email, country, ip, action in rows
        ]
        return ("\n".join([WEB_HEADER, *lines]) + "\n").encode()

    def random_drop(self, chance: random.Random) -> bytes:
        return self.drop(
            (
                event, chance.choice(DAYS), chance.choice(PEOPLE), chance.choice(["Peru", "Korea, Republic of", ""]),
                chance.choice(ADDRESSES), chance.choice(ACTIONS),
            )
            for event in chance.choices(EVENTS, k=chance.randint(1, 8))
        )  # fmt: skip


class World:
    """A landing with the drops of several domains, and the loader behind it."""

    def __init__(self, folder: Path, url: str | Warehouse, *feeds: Feed) -> None:
        self.landing = FolderLanding(folder)
        self.feeds = feeds
        self.contracts = [without_limits(feed.contract) for feed in feeds]
        self.warehouse = open_warehouse(url) if isinstance(url, str) else url
        self.warehouse.migrate()
        for contract in self.contracts:
            self.warehouse.prepare(contract)

    def deliver(self, key: str, content: bytes) -> None:
        self.landing.write(key, content)

    def load(self, full: bool = False) -> None:
        """Whatever lies there and is not loaded, `full` however old it is; everything must go in."""
        plans = discover(self.contracts, self.landing, self.warehouse, full=full).plans
        for contract, plan in zip(self.contracts, plans, strict=True):
            reports = list(load_drops(contract, self.landing, self.warehouse, plan.drops))
            assert all(report.state == "loaded" for report in reports), reports

    def random_step(self, chance: random.Random) -> None:
        """One thing that happens to one of the feeds: a file new, corrected or copied, withdrawn or taken back."""
        feed = chance.choice(self.feeds)
        key = chance.choice(feed.keys)
        lying = [item.key for item in self.landing.list_objects() if item.key in feed.keys]
        withdrawn = self._withdrawn(feed.contract)
        what = chance.random()
        if what < 0.2 and lying:
            self.deliver(key, (self.landing.root / chance.choice(lying)).read_bytes())
        elif what < 0.3 and withdrawn:
            undo_withdrawal(self.contracts, self.landing, self.warehouse, chance.choice(withdrawn))
        elif what < 0.4 and (loaded := sorted(set(lying) - set(withdrawn))):
            withdraw(self.contracts, self.landing, self.warehouse, chance.choice(loaded))
        else:
            self.deliver(key, feed.random_drop(chance))
        self.load()

    def newest_load(self, feed: Feed) -> int:
        (found,) = self.warehouse.connection.execute(
            "select coalesce(max(load_id), 0) from ops.loads where dataset = %s", [feed.contract.dataset]
        ).fetchone()
        return found

    def raw(self, feed: Feed, columns: str) -> list[tuple[Any, ...]]:
        return self.warehouse.connection.execute(
            f"select {columns} from raw.{feed.contract.dataset}"
        ).fetchall()

    def _withdrawn(self, contract: Contract) -> list[str]:
        rows = self.warehouse.connection.execute(
            "select object_key from ops.objects where dataset = %s and state = 'withdrawn' order by 1",
            [contract.dataset],
        )
        return [key for (key,) in rows]


def web_answers(events: Iterable[tuple[Any, ...]], known_actions: Sequence[str]) -> dict[str, set[Any]]:
    """What the marts of the web must say of these events (day, e-mail, country, address, action), mart by mart."""
    groups: dict[str, dict[Any, list[tuple[Any, ...]]]] = defaultdict(lambda: defaultdict(list))
    for day, email, country, ip, action in events:
        email, country = email.lower(), country or "Unknown"
        company = email.rpartition("@")[2] if "@" in email else "unknown"
        month = day.replace(day=1)
        event = (day, email, company, country, _is_address(ip), action in known_actions)
        groups["mart_web_events_daily"][day].append(event)
        groups["mart_web_events_monthly"][month].append(event)
        groups["mart_web_events_yearly"][month.replace(month=1)].append(event)
        groups["mart_web_active_users"][email, company].append(event)
        groups["mart_web_active_users_monthly"][month, email, company].append(event)
        groups["mart_web_active_companies"][company,].append(event)
        groups["mart_web_active_companies_monthly"][month, company].append(event)
        groups["mart_web_active_countries_monthly"][month, country].append(event)
    answers: dict[str, set[Any]] = {
        mart: {(*key, len(rows), *_span(rows)) for key, rows in groups[mart].items()} for mart in SPANS
    }
    for mart in TOTALS:
        answers[mart] = {(key, *_totals(rows)) for key, rows in groups[mart].items()}
    return answers


# What of each mart `web_answers` says, as the columns to ask it for.
SPANS = {
    "mart_web_active_users": "email, company, events, first_event_date, last_event_date",
    "mart_web_active_users_monthly": "month_start, email, company, events, first_event_date, last_event_date",
    "mart_web_active_companies": "company, events, first_event_date, last_event_date",
    "mart_web_active_companies_monthly": "month_start, company, events, first_event_date, last_event_date",
    "mart_web_active_countries_monthly": "month_start, country, events, first_event_date, last_event_date",
}
_TOTALS = "events, active_users, active_companies, active_countries, invalid_ips, unknown_actions"
TOTALS = {
    "mart_web_events_daily": f"event_date, {_TOTALS}",
    "mart_web_events_monthly": f"month_start, {_TOTALS}",
    "mart_web_events_yearly": f"year_start, {_TOTALS}",
}


def _span(rows: Sequence[tuple[Any, ...]]) -> tuple[date, date]:
    return min(row[0] for row in rows), max(row[0] for row in rows)


def _totals(rows: Sequence[tuple[Any, ...]]) -> tuple[int, ...]:
    people, companies, countries = (
        len({row[place] for row in rows} - {"unknown", "Unknown"}) for place in (1, 2, 3)
    )
    return (
        len(rows), people, companies, countries, sum(not row[4] for row in rows), sum(not row[5] for row in rows)
    )  # fmt: skip


def _is_address(text: str | None) -> bool:
    try:
        ipaddress.ip_address(text or "")
    except ValueError:
        return False
    return True
