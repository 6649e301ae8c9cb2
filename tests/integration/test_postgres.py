"""The embedded cluster and init_db.sql, as the roles see them."""

import socket
from pathlib import Path

import psycopg
import pytest

from runtime.postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]


def test_the_loader_owns_raw_and_ops_in_a_fresh_warehouse(warehouse_url: str) -> None:
    with psycopg.connect(warehouse_url) as connection:
        for schema in ("raw", "ops"):
            connection.execute(f"create table {schema}.probe (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table gold.probe (id int)")


def test_the_reporter_reads_what_the_transformer_builds_in_gold_and_nothing_else(
    transformer_url: str, reporter_url: str
) -> None:
    with psycopg.connect(transformer_url) as transformer:
        transformer.execute(
            "create table gold.probe as select 1 as one; create table silver.probe as select 1 as one"
        )
        transformer.execute("create schema developer_silver")
    with psycopg.connect(reporter_url, autocommit=True) as reporter:
        assert reporter.execute("select one from gold.probe").fetchone() == (1,)
        for forbidden in (
            "select * from silver.probe",
            "create table gold.other (id int)",
            "create schema mine",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reporter.execute(forbidden)


def test_init_db_can_run_again(postgres: Cluster, passwords: dict[str, str]) -> None:
    postgres.psql("-f", str(ROOT / "init_db.sql"), variables=passwords)
    assert postgres.psql("-c", "select count(*) from pg_database where datname = 'warehouse'") == "1"


def test_a_password_is_needed(postgres: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres.url("loader", "wrong", "warehouse"))


def test_a_cluster_survives_a_restart_and_listens_on_loopback_only(tmp_path: Path, postgres: Cluster) -> None:
    place = tmp_path / "data"
    cluster = Cluster(place, 0, "secret '\"$", binaries=postgres.binaries)
    try:
        cluster.start()
        cluster.psql("-c", "create table kept as select 42 as answer")
        assert cluster.psql("-c", "show listen_addresses") == "127.0.0.1"
        assert cluster.psql("-c", "show unix_socket_directories") == ""
        assert cluster.psql("-c", "show fsync") == "on"
        cluster.start()
        port = cluster.port
        cluster.stop()
        assert cluster.pid is None
        cluster.start()
        assert cluster.port == port
        assert cluster.psql("-c", "select answer from kept") == "42"
        cluster.stop()
        with socket.create_server(("127.0.0.1", port)):
            cluster.start()
            assert cluster.psql("-c", "select answer from kept") == "42"
    finally:
        cluster.remove()
    assert not place.exists()
