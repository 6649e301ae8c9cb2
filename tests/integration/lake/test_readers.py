"""Other engines read the lake: pandas, DuckDB and Spark."""

import json

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tests.integration.lake.records import deliver_some


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
