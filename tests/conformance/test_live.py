"""`make test-live`, tried on the stand-ins: it claims a database, holds the warehouse to the model, and tidies up."""

import os
import subprocess
import sys

import boto3
import psycopg
import pytest
from psycopg import sql

from runtime.postgres import SUPERUSER
from tests.conformance.conftest import REDSHIFT
from tests.conformance.live import DATABASE
from tests.stand_ins import snowflake_server
from tests.stand_ins.redshift import RedshiftStandIn


def run_live(target, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tests.conformance.live", target, "--yes"],
        env={**os.environ, "GOLDWORKS_STATE_MACHINE_RUNS": "1", **environment},
        capture_output=True, text=True, check=False, timeout=500,
    )  # fmt: skip


@pytest.fixture
def redshift(postgres, engine_url, aws_endpoint, monkeypatch):
    """A stand-in that may make databases: its URL."""
    settings = {
        "AWS_ENDPOINT_URL": aws_endpoint, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1", "GOLDWORKS_STAGING_URL": "s3://live/goldworks",
    }  # fmt: skip
    for name, value in settings.items():  # the stand-in, too, reads what is staged
        monkeypatch.setenv(name, value)
    boto3.client("s3").create_bucket(Bucket="live")
    template = postgres.url(SUPERUSER, postgres.password, "template1")
    with psycopg.connect(template, autocommit=True) as session:
        session.execute("alter role loader createdb")
        session.execute(REDSHIFT.read_text())
    stand_in = RedshiftStandIn(engine_url)
    yield stand_in.url
    print(len(stand_in.statements), "statements")
    stand_in.close()
    with psycopg.connect(template, autocommit=True) as session:
        session.execute("alter role loader nocreatedb")
        session.execute("drop schema redshift cascade")
        session.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(DATABASE)))


def databases(postgres):
    with psycopg.connect(postgres.url(SUPERUSER, postgres.password, "postgres")) as session:
        return {name for (name,) in session.execute("select datname from pg_database")}


@pytest.mark.timeout(600)
def test_a_redshift_is_held_to_the_model_in_a_database_that_is_gone_afterwards(redshift, postgres):
    done = run_live("redshift", GOLDWORKS_WAREHOUSE_URL=redshift)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "redshift: some" in done.stdout
    assert " passed" in done.stdout
    assert "failed" not in done.stdout
    assert DATABASE not in databases(postgres)


def test_while_the_database_is_there_no_second_run_begins(redshift, postgres):
    with psycopg.connect(postgres.url(SUPERUSER, postgres.password, "postgres"), autocommit=True) as session:
        session.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))
    done = run_live("redshift", GOLDWORKS_WAREHOUSE_URL=redshift)
    assert done.returncode == 1
    assert f"another run is under way, or one was cut off: then `drop database {DATABASE}`" in done.stderr
    assert DATABASE in databases(postgres)


@pytest.mark.timeout(600)
def test_a_snowflake_is_held_to_the_model_in_a_database_that_is_gone_afterwards():
    url = snowflake_server.url("postgres")
    done = run_live("snowflake", GOLDWORKS_WAREHOUSE_URL=url, GOLDWORKS_STAGING_URL="")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_without_the_warehouse_it_is_said_what_to_set():
    done = run_live("snowflake", GOLDWORKS_WAREHOUSE_URL="postgresql://a@b/c")
    assert (done.returncode, done.stderr) == (
        1,
        "GOLDWORKS_WAREHOUSE_URL is not of a snowflake\n  see docs/guides/snowflake.md; "
        "the login has to be allowed to make databases\n",
    )
