"""Fixtures for tests of the capture: a source of our own, with its log, and a session with it."""

from collections.abc import Iterator

import psycopg
import pytest

from data_ingestion.capture.slot import Source
from runtime.postgres import Cluster
from tests.integration.capture.source_log import TABLES, TWO_TABLES, running


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with running({"wal_level": "logical", "max_slot_wal_keep_size": "16MB"}) as cluster:
        yield cluster


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    url = cluster.url("postgres", cluster.password, "postgres")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("drop table if exists items, notes")
        session.execute(TWO_TABLES)
    yield url
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("""
            select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null;
            drop publication if exists shop;
        """)
        for slot in ("shop", "shop_candidate"):
            session.execute(
                "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s",
                [slot],
            )


@pytest.fixture
def source(url: str) -> Iterator[Source]:
    source = Source(url, "shop", TABLES)
    yield source
    source.close()
