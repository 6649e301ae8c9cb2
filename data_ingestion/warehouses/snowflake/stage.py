"""Stage on Snowflake: checked rows wait as files, which COPY takes into a temporary table before the transaction."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from data_ingestion.contract import warehouses
from data_ingestion.engine.staged import Staged
from data_ingestion.errors import LawBroken
from data_ingestion.landing import open_store
from data_ingestion.merge.table import RawTable
from data_ingestion.staging.csv_parts import CsvFiles
from data_ingestion.staging.rows import StageRows

if TYPE_CHECKING:
    from data_ingestion.warehouses.snowflake.session import SnowflakeSession

NAME, INTERNAL = "_stage", "_parts"
# What a COPY takes in FILES.
FILES_AT_ONCE = 1000
# Of a text, and so of a row's JSON.
TEXT_BYTES = warehouses.TEXT_BYTES["snowflake"]
FILE_FORMAT = (
    "type = csv compression = gzip field_optionally_enclosed_by = '\"' escape = none "
    "escape_unenclosed_field = none null_if = ('{null}') empty_field_as_null = false "
    "timestamp_format = 'YYYY-MM-DD HH24:MI:SS.FF6TZH' replace_invalid_characters = false"
)


class SnowflakeStage:
    """Rows go to files while they are read; nothing is said to the server before all have been."""

    def __init__(self, session: SnowflakeSession, table: RawTable, *, positions: bool) -> None:
        self._session, self._table, self._positions = session, table, positions
        self._types = table.stage_types(positions=positions)
        self._local = None if session.place.staging else Path(mkdtemp(prefix="goldworks-parts-"))
        self._store = open_store(session.place.staging or str(self._local))
        self._files = CsvFiles(self._store, TEXT_BYTES)
        self._rows = StageRows(table, positions=positions)

    def write(self, rows: Any, positions: Any = None) -> None:
        """Adds a record batch of checked rows, in a shared stage with the position of each one's drop."""
        if rows.num_rows:
            self._files.write_batch(self._rows.prepare(rows, positions))

    def finish(self) -> Staged:
        """Copies the files in, outside of the transaction. Rows that the server took are held against those written."""
        self._files.finish()
        session = self._session
        session.leave()
        session.prepare_scratch(self._table.contract, positions=self._positions)
        columns = ", ".join(
            f"{session.dialect.quote(name)} {session.dialect.type_of(kind)}"
            for name, kind in self._types.items()
        )
        session.outside(f"create or replace temporary table {NAME} ({columns})")
        if self._local and self._files.keys:
            self._put(self._local)
        copied = sum(self._copy(list(keys)) for keys in batched_keys(self._files.keys))
        if copied != self._files.rows:
            raise LawBroken(f"{self._files.rows} rows were staged, {copied} copied in")
        return Staged(copied, self._rows.are_distinct(), NAME)

    def _put(self, local: Path) -> None:
        self._session.use_stage(INTERNAL)
        self._session.outside(
            f"put 'file://{local}/{self._files.folder}/*.csv.gz' @{INTERNAL}/{self._files.folder} "
            "auto_compress = false source_compression = gzip overwrite = true"
        )

    def _copy(self, keys: list[str]) -> int:
        """How many rows of these files the server took."""
        cursor = self._session.outside(
            copy_statement(self._session.place.stage or INTERNAL, self._files.folder, keys, self._files.null)
        )
        names = [one.name.lower() for one in cursor.description]
        loaded = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        if len(loaded) != len(keys) or any(one.get("status") != "LOADED" for one in loaded):
            raise LawBroken(f"{len(keys)} files were staged, COPY says {loaded}")
        return sum(int(one["rows_loaded"]) for one in loaded)

    def remove(self) -> None:
        """Takes the files away; those on an internal stage were removed as they were loaded, or go with the session."""
        if self._local:
            shutil.rmtree(self._local, ignore_errors=True)
        else:
            self._files.remove()


def batched_keys(keys: list[str]) -> list[list[str]]:
    """Keys, as many at once as one COPY takes."""
    return [keys[start : start + FILES_AT_ONCE] for start in range(0, len(keys), FILES_AT_ONCE)]


def copy_statement(stage: str, folder: str, keys: list[str], null: str) -> str:
    """The COPY of files of a folder, each named: a pattern that matches nothing would load nothing without a word."""
    files = ", ".join(f"'{key.removeprefix(folder + '/')}'" for key in keys)
    return (
        f"copy into {NAME} from @{stage}/{folder}/ files = ({files}) file_format = ({FILE_FORMAT.format(null=null)}) "
        "on_error = abort_statement force = true purge = true"
    )
