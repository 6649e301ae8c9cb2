"""Other engines read the lake: pandas, DuckDB and Spark.

Spark itself is no part of the environments: it brings a Java runtime's worth of its own. GOLDWORKS_SPARK_PYTHON names a
Python that has `pyspark`, and then it is asked, too.
"""

import json
import os
import re
import subprocess

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data_ingestion.lake.compaction import compact
from data_ingestion.lake.ledger import LakeLedger
from tests.integration.lake.records import ROOT, deliver, deliver_some, event, key, rows

SPARK = os.environ.get("GOLDWORKS_SPARK_PYTHON")
ASK_SPARK = """
import json, sys
from pyspark.sql import SparkSession
spark = (
    SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    .config("spark.sql.session.timeZone", "UTC").getOrCreate()
)
read = spark.read.parquet(sys.argv[1])
asked = read.where("date = '2026-03-02'").selectExpr(
    "dataset", "object_key", "line", "record", "hex(record_bytes)", "drop_id", "load_id", "sha256", "period",
    "date_format(period_start, 'yyyy-MM-dd HH:mm:ss')", "unix_micros(delivered_at)",
    "get_json_object(record, '$.data.id')",
)
print(json.dumps({"types": dict(read.dtypes), "rows": [list(row) for row in asked.collect()]}))
"""


def test_pandas_reads_one_day_of_it(landing, lake, events, load, keep):
    deliver_some(landing)
    load(events)
    keep(events)
    read = pd.read_parquet(
        lake.root / "dataset=vehicle_events", filters=[("date", "=", "2026-03-03")], engine="pyarrow"
    )
    assert sorted(read["line"]) == [1, 1, 1, 2, 2, 2]
    assert str(read["delivered_at"].dtype) == "datetime64[us, UTC]"
    assert {json.loads(record)["organization_id"] for record in read["record"]} == {"ünter-line"}


def test_duckdb_opens_only_the_files_of_the_day_it_is_asked_for(landing, lake, events, load, keep):
    deliver_some(landing)
    load(events)
    keep(events)
    plan = duckdb.sql(
        f"""explain select record from read_parquet('{lake.root}/**/*.parquet', hive_partitioning = true)
            where dataset = 'vehicle_events' and date = date '2026-03-03'"""
    ).fetchall()[0][1]
    assert "1/2" in plan.replace(" ", "")


def test_the_query_of_the_guide_is_answered_where_records_are_no_json(landing, lake, events, load, keep):
    deliver(landing, 2, 1, event(1), event(1), '{"cut', *map(event, range(2, 9)))
    load(events)
    keep(events)
    (query,) = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/guides/lake.md").read_text(), re.S)
    asked = query.replace("landing/lake/warehouse", str(lake.root))
    assert asked != query
    assert duckdb.sql(asked).fetchall()[0] == ("v1", 2)


def test_spark_knows_every_type_and_reads_times_as_utc(landing, lake, events, load, keep):
    """It reads no unsigned integer and no nanosecond, and a time as a moment only if the file says that it is UTC."""
    deliver_some(landing)
    load(events)
    keep(events)
    for file in lake.root.rglob("*.parquet"):
        metadata = pq.read_metadata(file)
        for field in metadata.schema.to_arrow_schema():
            assert field.type in (pa.string(), pa.binary(), pa.int64(), pa.timestamp("us", tz="UTC"))
        for index in range(metadata.num_columns):
            column = metadata.schema.column(index)
            assert column.physical_type in ("BYTE_ARRAY", "INT64")
            logical = json.loads(column.logical_type.to_json())
            if logical["Type"] == "Timestamp":
                assert (logical["timeUnit"], logical["isAdjustedToUTC"]) == ("microseconds", True)
            assert metadata.row_group(0).column(index).compression == "ZSTD"


@pytest.mark.skipif(not SPARK, reason="GOLDWORKS_SPARK_PYTHON names no Python with pyspark")
def test_spark_reads_what_duckdb_does(landing, lake, events, load, keep, warehouse):
    deliver_some(landing)
    load(events)
    keep(events)
    landing.write(key(2, 51), event(98).encode("latin-1") + b"\n" + event(99).encode() + b"\n")
    load(events)
    keep(events)
    compact(events.dataset, lake, LakeLedger(warehouse.session))
    # without our settings of Python, which are another one's
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [SPARK, "-c", ASK_SPARK, str(lake.root)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["types"] == {
        "record": "string", "record_bytes": "binary", "line": "bigint", "header": "string", "object_key": "string",
        "drop_id": "bigint", "load_id": "bigint", "kind": "string", "sha256": "string", "period": "string",
        "period_start": "timestamp", "delivered_at": "timestamp", "dataset": "string", "date": "date",
    }  # fmt: skip
    columns = """dataset, object_key, line, record, hex(record_bytes), drop_id, load_id, sha256, period,
                 strftime(period_start at time zone 'UTC', '%Y-%m-%d %H:%M:%S'), epoch_us(delivered_at),
                 case when json_valid(record) then json_extract_string(record, '$.data.id') end"""
    wanted = [list(row) for row in rows(lake, f"date, {columns}") if str(row[0]) == "2026-03-02"]
    assert sorted(said["rows"], key=str) == sorted((row[1:] for row in wanted), key=str)
    assert len(wanted) == 8
