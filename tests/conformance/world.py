"""World: a real landing and warehouse in the words of the model, emptied in milliseconds and broken at will."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from data_ingestion.contract import Contract, read_contract
from data_ingestion.decisions import accept
from data_ingestion.discovery import discover
from data_ingestion.errors import DropFault
from data_ingestion.landing import FolderLanding, LandingObject
from data_ingestion.ledger import LoadReport
from data_ingestion.ledger.objects import ensure_dataset
from data_ingestion.load import load_drops
from data_ingestion.plan import Choice, PlannedDrop
from data_ingestion.rebuild import rebuild
from data_ingestion.warehouses.base import Warehouse
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.conformance.engine import Engine
from tests.conformance.raw_meaning import LEAST_TO_FAIL, SHARE_TO_FAIL, Bad, Content, Key, Terms, Value

TICKS = 10  # a second: deliveries of the same one have an order, too
START = 1_700_000_000 * TICKS  # the model's times are ticks from then
DATASETS = {False: "things", True: "moves"}
KEYS = {
    False: ("cast(id as text)",),
    True: ("cast(id as text)", "note", "cast(_occurrence as text)"),
}
AMOUNT = "cast(cast(amount as integer) as text)"


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
    """Files, contracts and a warehouse, all of which outlive a history."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        (folder / "landing").mkdir()
        self.landing: FolderLanding
        self.plan_limits = PlanLimits()
        self._contracts: dict[Terms, Contract] = {}

    @property
    def warehouse(self) -> Warehouse:
        return self.engine.warehouse

    def close(self) -> None:
        self.engine.close()

    def begin(self, terms: Terms, *, by_content: bool) -> None:
        """An empty landing, an empty ledger and empty tables."""
        self.landing = (ContentLanding if by_content else FolderLanding)(self.folder / "landing")
        for name in self.landing.root.iterdir():
            shutil.rmtree(name)
        self.warehouse.prepare(self.contract(terms))
        table = DATASETS[terms.occurrence]
        for name in (table, f"{table}__history"):
            self.warehouse.session.run(f"delete from raw.{name}")
        self.engine.empty()
        ensure_dataset(self.warehouse.session, table)

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
        moment = (START + time) * 1_000_000_000 // TICKS
        os.utime(self.landing.root / key, ns=(moment, moment))

    def remove(self, key: str) -> None:
        (self.landing.root / key).unlink()

    def lay(self, key: str, target: str) -> None:
        """A link beside the objects."""
        path = self.landing.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    # The loader

    def plan(self, terms: Terms, choice: Choice = Choice()) -> list[PlannedDrop]:
        (plan,) = discover([self.contract(terms)], self.landing, self.warehouse, choice).plans
        return list(plan.drops)

    def load(self, terms: Terms, drops: Iterable[PlannedDrop]) -> list[LoadReport]:
        self.engine.prefer(self.plan_limits)
        return list(load_drops(self.contract(terms), self.landing, self.warehouse, drops))

    def rebuild(self, terms: Terms) -> bool:
        """Whether the contract takes all that lies there. Links are removed, as its message asks for."""
        for link in filter(Path.is_symlink, self.landing.root.rglob("*")):
            link.unlink()
        self.engine.prefer(self.plan_limits)
        try:
            rebuild(self.contract(terms), self.landing, self.warehouse)
        except DropFault:
            return False
        return True

    def withdraw(self, terms: Terms, key: str) -> LoadReport:
        return withdraw([self.contract(terms)], self.landing, self.warehouse, key)

    def undo(self, terms: Terms, key: str) -> None:
        undo_withdrawal([self.contract(terms)], self.landing, self.warehouse, key)

    def accept(self, terms: Terms, key: str) -> None:
        accept([self.contract(terms)], self.warehouse, key)

    def until_it_breaks(self, act: Callable[[], object], statements: int, *, refuse: bool) -> None:
        """Acts with a session that ends after so many statements, or of which the next one is refused."""
        self.engine.break_after(statements, act, refuse=refuse)
        self.warehouse.abandon_lost_attempts()

    # What came of it

    def ended_after(self, load_id: int) -> list[dict[str, Any]]:
        """Loads that took effect or failed, in the order of their ids."""
        rows = [row for row in self.warehouse.loads(limit=1000) if (row["load_id"] or 0) > load_id]
        return sorted(rows, key=lambda row: row["load_id"])

    def changes_after(self, mark: int, terms: Terms) -> tuple[int, set[Key], dict[Key, Value]]:
        """What dbt's models go by (rows_after): the next mark, the keys a load brought or took for good, and raw."""
        dataset, key = DATASETS[terms.occurrence], ", ".join(KEYS[terms.occurrence])
        touched = self._rows(
            f"""select {key} from raw.{dataset} where _load_id > $mark
                union (select {key} from raw.{dataset}__history where _by_load_id > $mark
                       except select {key} from raw.{dataset})""",
            mark=mark,
        )
        ((newest,),) = self._rows("select coalesce(max(load_id), 0) from ops.loads where state = 'loaded'")
        rows = {name: value for name, (value, _) in self.facts(terms).raw.items()}
        return newest, {tuple(name) for name in touched}, rows

    def facts(self, terms: Terms) -> Facts:
        dataset, key = DATASETS[terms.occurrence], KEYS[terms.occurrence]
        value = [AMOUNT] if terms.occurrence else [AMOUNT, "note"]
        raw, waiting, left = {}, Counter(), Counter()
        columns = ", ".join((*key, *value, "_drop_id"))
        for *texts, drop, fate in self._rows(
            f"""select {columns}, 'raw' from raw.{dataset}
                union all select {columns}, _fate from raw.{dataset}__history"""
        ):
            key_, value_ = tuple(texts[: len(key)]), tuple(texts[len(key) :])
            if fate == "raw":
                raw[key_] = value_, drop
            elif fate == "waiting":
                waiting[key_, drop, value_] += 1
            else:
                left[key_, value_, fate] += 1
        objects = self._rows(
            "select object_key, state, period, delivered_at, drop_id from ops.objects where dataset = $dataset",
            dataset=dataset,
        )
        drops = self._rows(
            "select drop_id from ops.drops where dataset = $dataset and ended_at is null", dataset=dataset
        )
        in_force = {row[0]: row[4] for row in objects}
        quarantine = Counter(
            ("failed", name, Bad(*bad))
            if state in ("failed", "held")
            else ("drop", in_force.get(name, name), Bad(*bad))
            for name, state, *bad in self._rows(
                """select q.object_key, l.state, q.line, q.column_name, q.reason
                   from ops.quarantine q join ops.loads l on l.load_id = q.load_id
                   where q.dataset = $dataset and q.closed_by_load_id is null""",
                dataset=dataset,
            )
        )
        ((raw_rows, started),) = self._rows(
            """select raw_rows, (select count(*) from ops.loads where state = 'started')
               from ops.datasets where dataset = $dataset""",
            dataset=dataset,
        )
        return Facts(
            raw, waiting, left,
            {name: (state, period, _ticks(moment), drop) for name, state, period, moment, drop in objects},
            {drop for (drop,) in drops}, quarantine, raw_rows, started,
        )  # fmt: skip

    def etag(self, key: str, state: str) -> str | None:
        """The version in which the ledger holds an object in force, or as a correction that waits."""
        known = self.warehouse.find_object(key)
        if state == "held":
            return known.held.etag if known and known.held else None
        return known.etag if known and known.state == "in_force" and state == "loaded" else None

    def conflicts(self, load_id: int) -> int:
        ((count,),) = self._rows("select count(*) from ops.conflicts where load_id = $load", load=load_id)
        return int(count)

    def _rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        return self.warehouse.session.rows(statement, **values)


def _ticks(moment: datetime | None) -> int:
    """A moment as the model counts them."""
    return round(moment.timestamp() * TICKS) - START if moment else 0


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
