"""The models on several engines: from the same drops, each has the same silver and gold as Postgres, row by row.

Redshift and Snowflake are stand-ins (tests/stand_ins); the one refuses what Redshift documents not to take.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import duckdb
import psycopg
import pytest
import yaml

from data_ingestion.warehouses import open_warehouse
from data_ingestion.warehouses.base import Warehouse
from data_ingestion.warehouses.redshift import RedshiftWarehouse
from data_ingestion.warehouses.redshift.place import Place
from data_ingestion.warehouses.redshift.session import RedshiftSession
from data_ingestion.warehouses.snowflake import SnowflakeWarehouse
from data_ingestion.warehouses.snowflake.place import Place as SnowflakePlace
from data_ingestion.warehouses.snowflake.session import SnowflakeSession
from data_ingestion.withdraw import withdraw
from goldworks_samples.domains import DOMAINS as SAMPLED
from goldworks_samples.domains import write_samples
from runtime.postgres import SUPERUSER, Cluster
from tests.conformance.snowflake_limits import broken_limits
from tests.integration.dbt_feeds import Bank, Web, World
from tests.integration.dbt_fleet import Fleet
from tests.integration.dbt_orders import Orders, change, customer, item, order, product
from tests.integration.dbt_sales import Restatements, Sales
from tests.integration.dbt_session import ROOT, Dbt, warehouse_copy
from tests.stand_ins import snowflake_server
from tests.stand_ins.redshift import RedshiftStandIn
from tests.stand_ins.redshift_rules import faults_of_query

FEEDS = (Bank(), Web(), Fleet(), Orders(), Sales(), Restatements())
DOMAINS = ("bank", "fleet", "orders", "sales", "web")
# How old the newest delivery is: the two builds look at the clock one after the other.
AGES = {"mart_platform_datasets": ("standing", "hours_since_load")}


STAND_IN = Path(__file__).parent.parent / "stand_ins" / "redshift.sql"
# docs/guides/redshift.md: whom the loader lets read what it makes.
READERS = """
grant usage on schema raw, ops to transformer;
alter default privileges for user loader in schema raw, ops grant select on tables to transformer;
"""

Rows = Counter[tuple[object, ...]]


class Duckdb:
    """A DuckDB file, which is one process's at a time."""

    name = "duckdb"
    left_out = ()
    key_separator = None

    def __init__(self, folder: Path) -> None:
        self.file = folder / "warehouse.duckdb"
        self.settings = {"GOLDWORKS_WAREHOUSE_URL": f"duckdb:///{self.file}"}

    def warehouse(self) -> Warehouse:
        """For the loader."""
        return open_warehouse(self.settings["GOLDWORKS_WAREHOUSE_URL"])

    def faults(self, query: str) -> list[str]:
        """None: it is the real one."""
        return []

    @contextmanager
    def reader(self) -> Iterator[Any]:
        """Whoever looks at the models' rows."""
        with duckdb.connect(str(self.file), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            yield connection


class Redshift:
    """A stand-in before a database of its own; rows wait for their COPY in a folder."""

    name = "redshift"
    left_out = ()
    key_separator = ":"

    def __init__(self, folder: Path, postgres: Cluster, database: str) -> None:
        self.folder = folder
        self.url = postgres.url("transformer", "transformer-test", database)
        with psycopg.connect(
            postgres.url(SUPERUSER, postgres.password, database), autocommit=True
        ) as connection:
            connection.execute(STAND_IN.read_text())
            connection.execute(f"grant create on database {database} to loader")
            connection.execute(READERS)
        self.stand_in = RedshiftStandIn(postgres.url("loader", "loader-test", database))
        self.settings = {
            "WAREHOUSE_PORT": str(self.stand_in.port),
            "WAREHOUSE_DB": database,
            "WAREHOUSE_SSLMODE": "disable",
        }

    def warehouse(self) -> Warehouse:
        """For the loader."""
        place = replace(Place.of(self.stand_in.url), staging=str(self.folder / "staging"))
        return RedshiftWarehouse(RedshiftSession(place))

    def faults(self, query: str) -> list[str]:
        """What Redshift documents not to take of it."""
        return faults_of_query(query)

    @contextmanager
    def reader(self) -> Iterator[Any]:
        """Whoever looks at the models' rows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            yield connection


class Snowflake:
    """A database on a stand-in; rows wait for their COPY on its internal stage."""

    name = "snowflake"
    key_separator = "/"
    # fakesnow's TRY_CAST fails for a date that is none, it reads odd numbers in JSON in another way, and adds decimals
    # as floating numbers. Tests of one column each are some 300, and slow there.
    left_out = (
        "orders_values_not_of_their_type_are_null_in_every_warehouse",
        "orders_prices_keep_every_digit_and_a_missing_field_is_null",
        "bank_totals_reconcile",
        "test_type:generic",
    )

    def __init__(self, folder: Path) -> None:
        database = f"gw_{uuid4().hex}"
        self.place = SnowflakePlace.of(snowflake_server.url(database))
        session = SnowflakeSession(self.place)
        session.outside(f"create database if not exists {database}")
        session.close()
        self.settings = {
            "DBT_PROFILES_DIR": str(self._profile(folder)),
            "WAREHOUSE_ACCOUNT": "account",
            "WAREHOUSE_DB": database,
            "WAREHOUSE_COMPUTE": "w",
            "TRANSFORMER_USER": "loader",
            "TRANSFORMER_PRIVATE_KEY_FILE": os.environ[snowflake_server.KEY],
        }

    def _profile(self, folder: Path) -> Path:
        """The project's, but that the account is on this machine."""
        profiles = yaml.safe_load((ROOT / "dbt" / "profiles.yml").read_text())
        target = profiles["goldworks"]["outputs"]["snowflake"]
        target |= {
            "host": "127.0.0.1", "port": int(os.environ[snowflake_server.PORT]), "protocol": "http", "threads": 1,
        }  # fmt: skip
        (folder / "profiles.yml").write_text(yaml.safe_dump(profiles))
        return folder

    def warehouse(self) -> Warehouse:
        """For the loader."""
        return SnowflakeWarehouse(SnowflakeSession(self.place))

    def faults(self, query: str) -> list[str]:
        """Which of Snowflake's documented limits it breaks."""
        return [limit for limit, _ in broken_limits([query])]

    @contextmanager
    def reader(self) -> Iterator[Any]:
        """Whoever looks at the models' rows."""
        session = SnowflakeSession(self.place)
        try:
            yield SimpleNamespace(execute=lambda query: session.connection.cursor().execute(query))
        finally:
            session.close()


Other = Duckdb | Redshift | Snowflake


@pytest.fixture(scope="module")
def others(postgres, tmp_path_factory) -> Iterator[tuple[Other, ...]]:
    """What is compared with Postgres."""
    with pytest.MonkeyPatch.context() as patched, warehouse_copy(postgres) as database:
        patched.delenv("GOLDWORKS_STAGING_URL", raising=False)
        snowflake = Snowflake(tmp_path_factory.mktemp("snowflake"))
        patched.setenv("GOLDWORKS_STAGING_URL", "s3://a-bucket/a-folder")
        redshift = Redshift(tmp_path_factory.mktemp("redshift"), postgres, database)
        yield Duckdb(tmp_path_factory.mktemp("duckdb")), redshift, snowflake
        redshift.stand_in.close()


@pytest.fixture(scope="module")
def dbts(environment, world, others, tmp_path_factory) -> Iterator[tuple[Dbt, ...]]:
    """A dbt on Postgres and one on each of the others, which parse the project at the same time."""
    folder = tmp_path_factory.mktemp("dbt_elsewhere")
    elsewhere = (
        {
            **environment,
            **other.settings,
            "DBT_TARGET": other.name,
            "DBT_TARGET_PATH": str(folder / other.name / "target"),
            "DBT_LOG_PATH": str(folder / other.name / "logs"),
        }
        for other in others
    )
    with ThreadPoolExecutor() as pool:
        running = tuple(pool.map(Dbt, (environment, *elsewhere)))
    yield running
    for dbt in running:
        dbt.close()


@pytest.fixture(scope="module")
def on_all(dbts) -> Callable[..., list[dict[str, Any]]]:
    """A command of dbt on all engines at once: what became of each node, by engine."""

    def run(*words: str) -> list[dict[str, Any]]:
        with ThreadPoolExecutor() as pool:
            return [done.result() for done in [pool.submit(dbt, *words) for dbt in dbts]]

    return run


@contextmanager
def world_before(other: Other, world: World) -> Iterator[World]:
    """The same landing, loaded into another warehouse that nothing else uses at the time."""
    there = World(world.landing.root, other.warehouse(), *FEEDS)
    try:
        yield there
    finally:
        there.warehouse.close()


def deliver(world: World, seed: int) -> None:
    """Most keys of every feed, with random drops."""
    chance = random.Random(seed)
    for feed in FEEDS:
        for key in feed.keys:
            if chance.random() < 0.7:
                world.deliver(key, feed.random_drop(chance))


def load(world: World, withdrawn: Iterable[str]) -> None:
    """Brings in what lies there, and takes out the objects of these keys."""
    world.load(full=True)
    for key in withdrawn:
        withdraw(world.contracts, world.landing, world.warehouse, key)
    # Loads end when they do, on each engine at its own moment: as if the ids were the minutes.
    with world.warehouse.transaction():
        world.warehouse.session.run(
            "update ops.loads set ended_at = timestamptz '2026-11-01 00:00:00+00' + load_id * interval '1 minute'"
            " where load_id is not null"
        )


def deliver_a_pending_order(world: World) -> None:
    """Later than all that the shop's other drops say, so that it is there whatever chance makes of them."""
    rows = {
        "customers": customer(5),
        "products": product(5),
        "orders": order(5, buyer=5),
        "order_items": item(7, 5, 5),
    }
    records = [change("c", table, None, row, lsn=100) for table, row in rows.items()]
    world.deliver("orders/changes/2026/01/06/pending.jsonl", Orders().drop(records))


def typeless(value: object) -> object:
    """A value as both engines have it."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    if isinstance(value, Decimal):
        return value.normalize()
    return str(value) if isinstance(value, UUID) else value


def rows(connection: Any, query: str, renamed: Mapping[object, str]) -> Rows:
    return Counter(
        tuple(renamed.get(value, value) for value in map(typeless, row))
        for row in connection.execute(query).fetchall()
    )


def keys_of_repeats(transformer: psycopg.Connection, separator: str | None) -> dict[object, str]:
    """By which key Postgres knows the n-th equal row of a drop, by the one that another warehouse makes of texts."""
    if separator is None:
        return {}
    renamed = {}
    for dataset in ("bank_transactions", "order_changes"):
        known = f"select distinct _key from raw.{dataset} where _occurrence = 1"
        (most,) = transformer.execute(f"select coalesce(max(_occurrence), 0) from raw.{dataset}").fetchone()
        for (key,) in transformer.execute(known):
            for number in range(2, most + 1):
                there = sha256(key.bytes + number.to_bytes(4)).digest()[:16]
                here = sha256(f"{key}{separator}{number}".encode()).digest()[:16]
                renamed[str(UUID(bytes=here))] = str(UUID(bytes=there))
    return renamed


def compare(
    relations: Iterable[tuple[str, str]], transformer: psycopg.Connection, other: Other
) -> tuple[dict[str, int], dict[str, tuple[Rows, Rows]]]:
    """How many rows each relation of silver and gold has, and what either engine alone has of those that differ."""
    counts, differing = {}, {}
    renamed = keys_of_repeats(transformer, other.key_separator)
    with other.reader() as connection:
        for schema, name in relations:
            if schema == "bronze":
                continue
            columns = transformer.execute(f"select * from {schema}.{name} limit 0").description
            asked = ", ".join(it.name for it in columns if it.name not in AGES.get(name, ()))
            query = f"select {asked} from {schema}.{name}"
            there, here = rows(transformer, query, {}), rows(connection, query, renamed)
            counts[name] = there.total()
            if there != here:
                differing[name] = (there - here, here - there)
    return counts, differing


def test_models_are_equal_row_by_row_built_whole_and_step_by_step(world, dbts, on_all, transformer, others):
    for domain in SAMPLED:
        write_samples(world.landing.write, domain, scale=0.02, months=3, today=date(2026, 11, 1))
    deliver_a_pending_order(world)
    filled: set[str] = set()
    for seed in (1, 2):
        deliver(world, seed)
        withdrawn = [feed.keys[0] for feed in FEEDS] if seed > 1 else []
        load(world, withdrawn)
        for other in others:
            with world_before(other, world) as there:
                load(there, withdrawn)
        on_all("run")
        for other in others:
            counts, differing = compare(dbts[0].models((*DOMAINS, "platform")), transformer, other)
            assert differing == {}, other.name
        filled |= {name for name, count in counts.items() if count}
    assert counts.keys() - filled == set()


def exclusion(names: Iterable[str]) -> list[str]:
    """Words for dbt."""
    return ["--exclude", *names] if names else []


def test_every_test_of_a_model_says_the_same_of_all(dbts, others):
    """After the models were built: as many rows fail on the one as on the other, and all unit tests hold.

    Where some are left out, none of the others fails.
    """
    left_out = [(), *(other.left_out for other in others)]
    with ThreadPoolExecutor() as pool:
        there, *elsewhere = pool.map(lambda dbt, names: dbt("test", *exclusion(names)), dbts, left_out)
    for names, here in zip(left_out[1:], elsewhere, strict=True):
        assert len(here) > 40
        if not names:
            assert {name: node["failures"] for name, node in here.items()} == {
                name: node["failures"] for name, node in there.items()
            }


def test_what_is_compiled_keeps_to_the_limits_that_a_stand_in_does_not_have(dbts, others):
    """After the models were built: by the documentation of each, read by sqlglot."""
    for dbt, other in zip(dbts[1:], others, strict=True):
        found = sorted((dbt.manifest.parent / "compiled/goldworks/models").rglob("*.sql"))
        compiled = [path for path in found if ".yml" not in str(path)]  # tests lie beside the models
        assert len(compiled) > 80
        assert {path.name: faults for path in compiled if (faults := other.faults(path.read_text()))} == {}
