"""`goldworks report`: gold of one moment, as files that say what gold says."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from runtime.postgres import SUPERUSER, Cluster

ROOT = Path(__file__).resolve().parents[2]
GOLD = """
    create table gold.mart_dates (day date, status text, orders bigint);
    insert into gold.mart_dates values ('2026-01-06', 'PENDING', 4), ('2026-01-05', '=1+1', 7), (null, 'PENDING', 1);
    alter table gold.mart_dates owner to transformer;
    grant select on gold.mart_dates to loader;
"""
REPORT = """
title: Open
tables:
  - {name: dates, title: By date, relation: mart_dates, columns: {day: Day, status: Status, orders: Orders},
     order: [day], plot: {x: day, y: orders, by: status}}
  - {name: first, title: First, relation: mart_dates, columns: {orders: Orders}, order: [orders], most: 1}
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def gold(postgres: Cluster, warehouse_database: str):
    url = postgres.url(SUPERUSER, postgres.password, warehouse_database)
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(GOLD)
        yield session


@pytest.fixture
def goldworks(gold, warehouse_url: str, tmp_path: Path) -> Run:
    (tmp_path / "reports/orders").mkdir(parents=True)
    (tmp_path / "reports/orders/open.yaml").write_text(REPORT)
    (tmp_path / "landing").mkdir()
    settings = {
        "GOLDWORKS_WAREHOUSE_URL": warehouse_url, "GOLDWORKS_LANDING_URL": str(tmp_path / "landing"),
        "GOLDWORKS_REPORTS": str(tmp_path / "reports"), "COLUMNS": "200",
    }  # fmt: skip

    def run(*arguments: str, **changed: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "data_ingestion", "report", *arguments],
            env={**os.environ, **settings, **changed}, cwd=ROOT, capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    return run


def folders(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "landing/reports").glob("*/orders/open/*"))


def test_a_report_is_written_under_its_day_and_as_the_latest(goldworks: Run, tmp_path: Path) -> None:
    done = goldworks()
    assert done.returncode == 0, done.stderr
    day, latest = folders(tmp_path)
    assert (latest.name, len(day.name)) == ("latest", len("2026-01-05"))
    for folder in (day, latest):
        assert sorted(file.name for file in folder.iterdir()) == ["dates.csv", "first.csv", "index.html"]
    told = list(csv.reader(io.StringIO((latest / "dates.csv").read_bytes().decode("utf-8-sig"))))
    assert told == [
        ["Day", "Status", "Orders"],
        ["2026-01-05", "'=1+1", "7"],
        ["2026-01-06", "PENDING", "4"],
        ["", "PENDING", "1"],
    ]
    assert (latest / "first.csv").read_text("utf-8-sig").split() == ["Orders", "1"]
    assert "<svg" in (latest / "index.html").read_text()
    assert f"{latest.as_uri()}/index.html  4 rows in 2 tables" in done.stdout


def test_the_next_one_replaces_the_latest(goldworks: Run, gold, tmp_path: Path) -> None:
    goldworks("open")
    gold.execute("update gold.mart_dates set orders = 99 where orders = 7")
    assert json.loads(goldworks("open", "--json").stdout)[0]["rows"] == 4
    assert ",99\n" in (folders(tmp_path)[-1] / "dates.csv").read_text("utf-8-sig")


def test_reports_are_listed_with_their_titles(goldworks: Run) -> None:
    assert json.loads(goldworks("--list", "--json").stdout) == [
        {"report": "open", "domain": "orders", "tables": 2, "title": "Open"}
    ]


@pytest.mark.parametrize(
    ("statement", "arguments", "code", "told"),
    [
        ("drop table gold.mart_dates", (), 5, "gold.mart_dates does not exist"),
        ("alter table gold.mart_dates drop column status", (), 5, 'column "status" does not exist'),
        ("revoke all on gold.mart_dates from loader", (), 5, "gold.mart_dates can't be read by this login"),
        ("select 1", ("opened",), 3, "no report 'opened'"),
    ],
)
def test_what_can_not_be_reported_is_told_and_nothing_is_written(
    goldworks: Run, gold, tmp_path: Path, statement, arguments, code, told
) -> None:
    gold.execute(statement)
    done = goldworks(*arguments)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (code, True, False), (
        done.stderr
    )
    assert folders(tmp_path) == []


def test_each_report_tells_its_counts_and_no_value(goldworks: Run, gold) -> None:
    gold.execute("update gold.mart_dates set status = 'zanzibar'")
    done = goldworks(GOLDWORKS_LOG="-")
    (line,) = map(json.loads, done.stderr.splitlines())
    assert (line["step"], line["outcome"], line["domain"], line["report"]) == (
        "report",
        "done",
        "orders",
        "open",
    )
    assert (line["tables"], line["rows"]) == (2, 4)
    gold.execute("alter table gold.mart_dates rename status to zanzibar")
    failed = json.loads(goldworks(GOLDWORKS_LOG="-").stderr.splitlines()[0])
    assert (failed["step"], failed["outcome"], failed["error"]) == ("report", "failed", "OperatorFault")
    assert "zanzibar" not in json.dumps((line, failed))
