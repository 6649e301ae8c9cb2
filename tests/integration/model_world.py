"""World: a real landing and warehouse in the words of the model, emptied in milliseconds and broken at will."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import psycopg
import yaml

from data_ingestion.contract import Contract, read_contract
from data_ingestion.discovery import discover
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding, LandingObject
from data_ingestion.ledger import LoadReport
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice, PlannedDrop
from data_ingestion.warehouses.postgres import PostgresWarehouse
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.integration.conftest import empty_ledger
from tests.integration.raw_model import LEAST_TO_FAIL, SHARE_TO_FAIL, Bad, Content, Key, Terms, Value

EPOCH = 1_700_000_000
DATASETS = {False: "things", True: "moves"}
KEYS = {False: "array[id]::text[]", True: "array[id::text, note, _occurrence::text]"}


class Fuse(psycopg.Cursor):
    """A cursor with which a session breaks after so many statements: ended by the server, or one statement refused."""

    left: ClassVar[int] = 0
    breaks: ClassVar[Any] = None

    @classmethod
    def light(cls, statements: int, breaks: Any) -> None:
        cls.left, cls.breaks = statements, breaks

    @classmethod
    def put_out(cls) -> None:
        """Takes a fuse away that has not burnt down."""
        cls.breaks = None

    def execute(self, *arguments: Any, **named: Any) -> Any:
        self._burn()
        return super().execute(*arguments, **named)

    def copy(self, *arguments: Any, **named: Any) -> Any:
        self._burn()
        return super().copy(*arguments, **named)

    def _burn(self) -> None:
        if Fuse.breaks is None:
            return
        if Fuse.left:
            Fuse.left -= 1
            return
        breaks, Fuse.breaks = Fuse.breaks, None
        breaks(self)


class ContentLanding(FolderLanding):
    """A folder that tells versions apart as S3 does: equal bytes have equal ETags, under any key and at any time."""

    def _seen(self, key: str, status: os.stat_result) -> LandingObject:  # type: ignore[override]
        digest = hashlib.md5((self.root / key).read_bytes()).hexdigest()
        return LandingObject(key, status.st_size, digest, datetime.fromtimestamp(status.st_mtime, UTC))


@dataclass(frozen=True)
class Facts:
    """What the warehouse holds of a dataset."""

    raw: dict[Key, tuple[Value, int]]
    waiting: Counter[tuple[Key, int, Value]]
    left: Counter[tuple[Key, Value, str]]
    objects: dict[str, tuple[str, str, int, int]]  # state, period, delivered, drop
    drops: set[int]
    quarantine: Counter[tuple[str, object, Bad]]
    raw_rows: int
    started: int


class World:
    """Files, contracts and a session, all of which outlive a history."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        (folder / "landing").mkdir()
        self.landing: FolderLanding
        self.other = psycopg.connect(url, autocommit=True)
        self.plan_limits = PlanLimits()
        self.warehouse = self._connect()
        self.warehouse.migrate()
        self._contracts: dict[Terms, Contract] = {}

    def _connect(self) -> PostgresWarehouse:
        warehouse = PostgresWarehouse.connect(self.url)
        warehouse.connection.cursor_factory = Fuse
        return warehouse

    def close(self) -> None:
        self.warehouse.close()
        self.other.close()

    def begin(self, terms: Terms, *, by_content: bool) -> None:
        """An empty landing, an empty ledger and empty tables."""
        self.landing = (ContentLanding if by_content else FolderLanding)(self.folder / "landing")
        for name in self.landing.root.iterdir():
            shutil.rmtree(name)
        self.warehouse.prepare(self.contract(terms))
        table = DATASETS[terms.occurrence]
        self.other.execute(f"truncate raw.{table}, raw.{table}__history")
        empty_ledger(self.other)
        self.other.execute("insert into ops.datasets (dataset) values (%s)", [table])

    def contract(self, terms: Terms) -> Contract:
        if terms not in self._contracts:
            path = write_contract(self.folder / str(len(self._contracts)), terms)
            self._contracts[terms] = read_contract(path)
        return self._contracts[terms]

    # The landing

    def put(self, key: str, content: Content, time: int) -> None:
        lines = ["id,amount,note", *(",".join(line) for line in content), ""]
        self.landing.write(key, "\n".join(lines).encode())
        self.touch(key, time)

    def touch(self, key: str, time: int) -> None:
        os.utime(self.landing.root / key, (EPOCH + time, EPOCH + time))

    def remove(self, key: str) -> None:
        (self.landing.root / key).unlink()

    # The loader

    def plan(self, terms: Terms, choice: Choice = Choice()) -> list[PlannedDrop]:
        (plan,) = discover([self.contract(terms)], self.landing, self.warehouse, choice).plans
        return list(plan.drops)

    def load(self, terms: Terms, drops: Iterable[PlannedDrop]) -> list[LoadReport]:
        self.warehouse.plan_limits = self.plan_limits
        self.warehouse.redelivered.clear()  # each command is a session of its own
        return list(load_drops(self.contract(terms), self.landing, self.warehouse, drops))

    def withdraw(self, terms: Terms, key: str) -> LoadReport:
        return withdraw([self.contract(terms)], self.warehouse, key)

    def undo(self, terms: Terms, key: str) -> None:
        undo_withdrawal([self.contract(terms)], self.landing, self.warehouse, key)

    def until_it_breaks(self, act: Callable[[], object], statements: int, *, refuse: bool) -> None:
        """Acts with a session that the server ends after so many statements, or of which it refuses the next one."""
        Fuse.light(statements, self._refuse if refuse else self._terminate)
        with suppress(psycopg.Error, OperatorFault):
            act()
        Fuse.put_out()
        if not self._is_alive():
            self.warehouse.close()
            self.warehouse = self._connect()
        self.warehouse.abandon_lost_attempts()

    def _refuse(self, cursor: psycopg.Cursor) -> None:
        psycopg.Cursor.execute(cursor, "select 1 / 0")

    def _terminate(self, cursor: psycopg.Cursor) -> None:
        pid = cursor.connection.info.backend_pid
        self.other.execute("select pg_terminate_backend(%s)", [pid])
        alive = "select exists (select from pg_stat_activity where pid = %s)"
        while self.other.execute(alive, [pid]).fetchone() == (True,):
            pass

    def _is_alive(self) -> bool:
        try:
            self.warehouse.connection.execute("select 1")
        except psycopg.OperationalError:
            return False
        return True

    # What came of it

    def ended_after(self, load_id: int) -> list[dict[str, Any]]:
        """Loads that took effect or failed, in the order of their ids."""
        rows = [row for row in self.warehouse.loads(limit=1000) if (row["load_id"] or 0) > load_id]
        return sorted(rows, key=lambda row: row["load_id"])

    def changes_after(self, mark: int, terms: Terms) -> tuple[int, set[Key], dict[Key, Value]]:
        """What dbt's models go by (rows_after): the next mark, the keys a load brought or took for good, and raw."""
        dataset, key = DATASETS[terms.occurrence], KEYS[terms.occurrence]
        touched = self.other.execute(
            f"""select {key} from raw.{dataset} where _load_id > %(mark)s
                union (select {key} from raw.{dataset}__history where _by_load_id > %(mark)s
                       except select {key} from raw.{dataset})""",
            {"mark": mark},
        ).fetchall()
        ((newest,),) = self._rows("select coalesce(max(load_id), 0) from ops.loads where state = 'loaded'")
        rows = {name: value for name, (value, _) in self.facts(terms).raw.items()}
        return newest, {tuple(name) for (name,) in touched}, rows

    def facts(self, terms: Terms) -> Facts:
        dataset, key = DATASETS[terms.occurrence], KEYS[terms.occurrence]
        value = "array[amount::int::text]" if terms.occurrence else "array[amount::int::text, note]"
        raw, waiting, left = {}, Counter(), Counter()
        places = self.other.execute(
            f"""select {key}, {value}, _drop_id, 'raw' from raw.{dataset}
                union all select {key}, {value}, _drop_id, _fate from raw.{dataset}__history"""
        )
        for key_, value_, drop, fate in places.fetchall():
            if fate == "raw":
                raw[tuple(key_)] = tuple(value_), drop
            elif fate == "waiting":
                waiting[tuple(key_), drop, tuple(value_)] += 1
            else:
                left[tuple(key_), tuple(value_), fate] += 1
        objects = self._rows(
            """select object_key, state, period, extract(epoch from delivered_at)::bigint, drop_id
               from ops.objects where dataset = %s""",
            dataset,
        )
        drops = self._rows("select drop_id from ops.drops where dataset = %s and ended_at is null", dataset)
        in_force = {row[0]: row[4] for row in objects}
        quarantine = Counter(
            ("failed", name, Bad(*bad))
            if state == "failed"
            else ("drop", in_force.get(name, name), Bad(*bad))
            for name, state, *bad in self._rows(
                """select q.object_key, l.state, q.line, q.column_name, q.reason
                   from ops.quarantine q join ops.loads l using (load_id)
                   where q.dataset = %s and q.closed_by_load_id is null""",
                dataset,
            )
        )
        ((raw_rows, started),) = self._rows(
            """select raw_rows, (select count(*) from ops.loads where state = 'started')
               from ops.datasets where dataset = %s""",
            dataset,
        )
        return Facts(
            raw, waiting, left,
            {name: (state, period, (time or EPOCH) - EPOCH, drop) for name, state, period, time, drop in objects},
            {drop for (drop,) in drops}, quarantine, raw_rows, started,
        )  # fmt: skip

    def etag(self, key: str) -> str | None:
        """The version in which the ledger holds an object in force."""
        rows = self._rows("select etag from ops.objects where object_key = %s and state = 'in_force'", key)
        return str(rows[0][0]) if rows else None

    def conflicts(self, load_id: int) -> int:
        ((count,),) = self._rows("select count(*) from ops.conflicts where load_id = %s", load_id)
        return int(count)

    def _rows(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        return self.other.execute(statement, parameters).fetchall()


def as_text(values: Iterable[object]) -> tuple[object, ...]:
    """A key or value of the model as the warehouse is asked for it."""
    return tuple(None if value is None else str(value) for value in values)


def write_contract(folder: Path, terms: Terms) -> Path:
    """The terms as a contract file."""
    dataset = DATASETS[terms.occurrence]
    key: dict[str, Any] = {} if terms.occurrence else {"primaryKey": True, "primaryKeyPosition": 1}
    occurrence = {"property": "key", "value": {"rule": "occurrence", "columns": ["id", "note"]}}
    limit = {"property": "quarantineLimit", "value": {"share": SHARE_TO_FAIL, "least": LEAST_TO_FAIL}}
    bounds = {} if terms.least is None else {"logicalTypeOptions": {"minimum": terms.least}}
    cleaning = {"customProperties": [{"property": "cleaning", "value": ["trim"]}]} if terms.trims else {}
    contract = {
        "apiVersion": "v3.1.0", "kind": "DataContract", "id": dataset, "version": "1.0.0", "status": "active",
        "domain": "store",
        "servers": [{"server": "landing", "type": "custom", "format": "csv",
                     "path": f"{dataset}/{{YYYY}}-{{MM}}/*.csv" if terms.dated else f"{dataset}/*/*.csv"}],
        "schema": [{
            "name": dataset, "logicalType": "object",
            "customProperties": [limit, occurrence] if terms.occurrence else [limit],
            "properties": [
                {"name": "id", "logicalType": "integer", "required": True, **key},
                {"name": "amount", "logicalType": "number", "physicalType": "numeric(12,2)", **bounds},
                {"name": "note", "logicalType": "string", **cleaning},
            ],
        }],
    }  # fmt: skip
    path = folder / "store" / f"{dataset}.odcs.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(contract, sort_keys=False))
    return path
