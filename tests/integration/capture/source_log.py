"""A source of two tables that lives a busy life, and what its change log on a landing says of it."""

import json
import random
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from data_ingestion.landing import Landing
from runtime.postgres import Cluster, find_binaries
from runtime.settings import home_directory

FOLDER = "orders/changes"
TABLES = ("items", "notes")
TWO_TABLES = """
create table items (id int primary key, price numeric, is_active bool, at timestamp);
create table notes (id int primary key, text text);
alter table items replica identity full;
alter table notes replica identity full;
"""


@contextmanager
def running(settings: dict[str, str]) -> Iterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="goldworks-source-"))
    home.chmod(0o711)  # started by root, the server belongs to another account
    binaries = find_binaries(home_directory() / "venvs/runtime")
    cluster = Cluster(home / "data", 0, "source-test", {"fsync": "off", **settings}, binaries=binaries)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.remove()
        shutil.rmtree(home, ignore_errors=True)


def records(landing: Landing) -> list[dict[str, Any]]:
    """The change log: each place once, in its order."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for item in landing.list_objects():
        for line in landing.open(item).read().decode().splitlines():
            record = json.loads(line, parse_float=str, parse_int=int)
            place = (record["lsn"], record["ordinal"])
            assert found.setdefault(place, record) == record, "two drops disagree"
    return [found[place] for place in sorted(found)]


def replayed(landing: Landing) -> dict[str, dict[int, dict[str, Any]]]:
    """The tables that the change log makes."""
    return replay((r["source_table"], r["op"], r["before"], r["after"]) for r in records(landing))


def replay(changes: Iterable[tuple[str, str, Any, Any]]) -> dict[str, dict[int, dict[str, Any]]]:
    """The tables that changes make; each must follow from what was before it."""
    tables: dict[str, dict[int, dict[str, Any]]] = {table: {} for table in TABLES}
    for change in changes:
        name, op, before, after = change
        table = tables[name]
        if op in ("g", "t"):
            table.clear()
        if op in ("u", "d"):
            assert table.pop(before["id"]) == before, change
        if op in ("r", "c"):
            assert after["id"] not in table, change
        if after:
            table[after["id"]] = after
    return tables


def held(url: str) -> dict[str, dict[int, dict[str, Any]]]:
    """The source's tables as they are."""
    with psycopg.connect(url) as session:
        return {
            table: {
                row[0]: json.loads(row[1], parse_float=str)
                for row in session.execute(f"select id, to_json(t)::text from {table} t")
            }
            for table in TABLES
        }


def disturb(session: psycopg.Connection, chance: random.Random) -> None:
    """A transaction that inserts, changes and deletes rows of both tables; every tenth is rolled back."""
    with session.transaction(force_rollback=chance.random() < 0.1):
        for _ in range(chance.randint(1, 6)):
            table, number = chance.choice(TABLES), chance.randint(1, 40)
            values = (
                (number, f"{chance.randint(0, 9999)}.{chance.randint(0, 99):02}", chance.random() < 0.5)
                if table == "items"
                else (number, chance.choice(["a", 'quoted "b"', "ü\n", "x" * 9000]))
            )
            columns = "id, price, is_active" if table == "items" else "id, text"
            updates = "price = excluded.price, at = now()" if table == "items" else "text = notes.text || '!'"
            if chance.random() < 0.25:
                session.execute(f"delete from {table} where id = %s", [number])
            else:
                marks = ", ".join(["%s"] * len(values))
                session.execute(
                    f"insert into {table} ({columns}) values ({marks}) on conflict (id) do update set {updates}",
                    values,
                )
