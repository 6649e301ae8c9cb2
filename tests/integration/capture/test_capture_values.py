"""Capture: texts of values are the same whatever the source's own settings are, and read by whatever road."""

import psycopg
import pytest

from data_ingestion.capture.reader import capture
from data_ingestion.capture.slot import Source
from data_ingestion.errors import OperatorFault
from data_ingestion.landing import FolderLanding
from tests.integration.capture.source_log import FOLDER, TABLES, records, running

ROW = """
insert into items values (%s, '2026-02-01', '2026-02-01 10:00', '2026-02-01 10:00+05:30', '1 day 02:00', 0.1::float4,
    1234567.89012345, '\\x616200', 1234.5)
"""
TOLD = {
    "on_day": "2026-02-01", "at": "2026-02-01T10:00:00", "at_once": "2026-02-01T04:30:00+00",
    "lasts": "1 day 02:00:00", "small": "0.1", "large": "1234567.89012345", "bytes": "\\x616200", "price": "$1,234.50",
}  # fmt: skip


def test_the_settings_of_the_source_decide_no_text(landing: FolderLanding) -> None:
    odd = {
        "wal_level": "logical", "datestyle": "SQL, DMY", "timezone": "Asia/Kolkata", "intervalstyle": "iso_8601",
        "extra_float_digits": "-5", "bytea_output": "escape",
    }  # fmt: skip
    with running(odd) as cluster:
        url = cluster.url("postgres", cluster.password, "postgres")
        with psycopg.connect(url, autocommit=True) as session:
            session.execute("alter role postgres set client_encoding = 'LATIN1'")
            session.execute("""
                create table notes (id int primary key);
                create table items (id int primary key, on_day date, at timestamp, at_once timestamptz, lasts interval,
                    small float4, large float8, bytes bytea, price money)
            """)
            session.execute(ROW, [1])
            source = Source(url, "shop", TABLES)
            capture(source, landing, FOLDER)
            session.execute(ROW, [2])
            capture(source, landing, FOLDER)
            source.close()
    by_snapshot, by_change = (record["after"] for record in records(landing))
    assert (by_snapshot, by_change) == ({"id": 1, **TOLD}, {"id": 2, **TOLD})


def test_rows_that_are_hidden_from_the_login_are_a_fault(url: str, landing: FolderLanding) -> None:
    with psycopg.connect(url, autocommit=True) as session:
        session.execute(
            "create role half login replication password 'half'; grant select on items, notes to half"
        )
        session.execute("insert into items values (1); alter table items enable row level security")
        session.execute("create publication shop for table items, notes")
        half = Source(url.replace("postgres:source-test", "half:half"), "shop", TABLES)
        try:
            with pytest.raises(OperatorFault, match="row-level security policy for table"):
                capture(half, landing, FOLDER)
        finally:
            half.close()
            session.execute("drop owned by half; drop role half")
    assert records(landing) == []
