"""Lake on Postgres: what the ledger holds about the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from psycopg import Connection

from data_ingestion.errors import LawBroken
from data_ingestion.lake.files import ROUND_DROPS, Archived, DropVersion, LakeFile
from data_ingestion.landing import LandingObject
from data_ingestion.warehouses.postgres.session import server_faults

# Class of the advisory locks of archive runs: "lake" in ASCII.
AT_WORK = 0x6C616B65
_COLUMNS = """file_id, dataset, date, first_load_id, last_load_id, coalesce(drops, 0), coalesce(records, 0),
              coalesce(size_bytes, 0)"""

P = ParamSpec("P")
T = TypeVar("T")


def _asking(method: Callable[Concatenate[PostgresLake, P], T]) -> Callable[Concatenate[PostgresLake, P], T]:
    """A method that asks the server, whose faults it tells as its operator's."""

    @wraps(method)
    def told(self: PostgresLake, /, *arguments: P.args, **named: P.kwargs) -> T:
        with server_faults(self.connection):
            return method(self, *arguments, **named)

    return told


class PostgresLake:
    """The lake's part of the ledger, over a session with the warehouse."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    @property
    def is_lost(self) -> bool:
        return self.connection.closed

    @contextmanager
    def exclusive(self, dataset: str) -> Iterator[None]:
        with server_faults(self.connection):
            self.connection.execute("select pg_advisory_lock(%s, hashtext(%s))", [AT_WORK, dataset])
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # it ends with the session at the latest
                self.connection.execute("select pg_advisory_unlock(%s, hashtext(%s))", [AT_WORK, dataset])

    @_asking
    def to_archive(self, dataset: str) -> list[DropVersion]:
        rows = self.connection.execute(
            """select d.drop_id, d.load_id, d.sha256, d.size_bytes, d.fingerprint, l.kind, d.rank_period,
                      d.rank_delivered_at, l.rows_read,
                      coalesce((select a.sha256 = d.sha256 from ops.lake_drops a
                                where a.drop_id = d.drop_id and a.file_id is not null
                                order by a.load_id desc limit 1), false),
                      (select array_agg(o.object_key order by o.object_key <> d.rank_object_key, o.object_key)
                       from ops.objects o where o.drop_id = d.drop_id),
                      (select array_agg(o.etag order by o.object_key <> d.rank_object_key, o.object_key)
                       from ops.objects o where o.drop_id = d.drop_id),
                      (select array_agg(o.last_modified order by o.object_key <> d.rank_object_key, o.object_key)
                       from ops.objects o where o.drop_id = d.drop_id)
               from ops.drops d join ops.loads l using (load_id)
               where d.dataset = %(dataset)s and d.ended_at is null
                 and d.load_id > coalesce((select m.load_id from ops.lake_marks m where m.dataset = %(dataset)s), 0)
               order by d.load_id limit %(limit)s""",
            {"dataset": dataset, "limit": ROUND_DROPS},
        ).fetchall()
        return [_version(row) for row in rows]

    @_asking
    def announce(self, files: Sequence[LakeFile]) -> list[LakeFile]:
        announced = []
        with self.connection.transaction():
            for file in files:
                row = self.connection.execute(
                    "select nextval(pg_get_serial_sequence('ops.lake_files', 'file_id'))"
                ).fetchone()
                assert row is not None
                named = LakeFile(row[0], file.dataset, file.date, file.first_load, file.last_load)
                self.connection.execute(
                    """insert into ops.lake_files (file_id, dataset, date, path, state, first_load_id, last_load_id)
                       overriding system value values (%s, %s, %s, %s, 'writing', %s, %s)""",
                    [named.file_id, named.dataset, named.date, named.path, named.first_load, named.last_load],
                )
                announced.append(named)
        return announced

    @_asking
    def record_archived(
        self, dataset: str, files: Sequence[LakeFile], archived: Sequence[Archived], load_id: int
    ) -> None:
        with self.connection.transaction():
            self._put_in_lake(files)
            self.connection.execute(
                """insert into ops.lake_drops (drop_id, load_id, sha256, object_key, file_id, records)
                   select * from unnest(%s::bigint[], %s::bigint[], %s::bytea[], %s::text[], %s::bigint[], %s::bigint[])
                   on conflict (drop_id, load_id) do update set sha256 = excluded.sha256,
                       object_key = excluded.object_key, file_id = excluded.file_id, records = excluded.records""",
                [
                    [each.version.drop_id for each in archived],
                    [each.version.load_id for each in archived],
                    [each.version.sha256 for each in archived],
                    [each.object_key for each in archived],
                    [each.file_id for each in archived],
                    [each.records for each in archived],
                ],
            )
            self.connection.execute(
                """insert into ops.lake_marks (dataset, load_id) values (%s, %s)
                   on conflict (dataset) do update set load_id = greatest(lake_marks.load_id, excluded.load_id)""",
                [dataset, load_id],
            )
            # Announced, but every drop of it had gone.
            self.connection.execute(
                "update ops.lake_files set state = 'deleted' where dataset = %s and state = 'writing'",
                [dataset],
            )

    @_asking
    def record_joined(self, files: Sequence[LakeFile], joined: LakeFile) -> None:
        with self.connection.transaction():
            self._put_in_lake([joined])
            ended = self.connection.execute(
                """update ops.lake_files set state = 'replaced', replaced_by = %s
                   where file_id = any(%s) and state = 'in_lake'""",
                [joined.file_id, [file.file_id for file in files]],
            )
            if ended.rowcount != len(files):
                raise LawBroken(
                    f"{len(files)} files of the lake were put together, {ended.rowcount} were in it"
                )

    def _put_in_lake(self, files: Sequence[LakeFile]) -> None:
        for file in files:
            found = self.connection.execute(
                """update ops.lake_files set state = 'in_lake', drops = %s, records = %s, size_bytes = %s,
                          written_at = clock_timestamp()
                   where file_id = %s and state = 'writing'""",
                [file.drops, file.records, file.size, file.file_id],
            )
            if found.rowcount != 1:
                raise LawBroken(f"{file.path}: not announced, or taken away meanwhile")

    @_asking
    def leftovers(self, dataset: str) -> list[LakeFile]:
        return self._files(dataset, ["writing", "replaced"])

    @_asking
    def record_deleted(self, files: Sequence[LakeFile]) -> None:
        if files:
            self.connection.execute(
                "update ops.lake_files set state = 'deleted' where file_id = any(%s)",
                [[file.file_id for file in files]],
            )

    @_asking
    def files(self, dataset: str) -> list[LakeFile]:
        return self._files(dataset, ["in_lake"])

    def _files(self, dataset: str, states: Sequence[str]) -> list[LakeFile]:
        rows = self.connection.execute(
            f"""select {_COLUMNS} from ops.lake_files
                where dataset = %s and state = any(%s) order by date, first_load_id, file_id""",  # noqa: S608 - ours
            [dataset, list(states)],
        ).fetchall()
        return [LakeFile(*row) for row in rows]


def _version(row: tuple[Any, ...]) -> DropVersion:
    drop_id, load_id, sha256, size, fingerprint, kind, period, delivered_at, read, archived, *holders = row
    keys, etags, times = (list(each or ()) for each in holders)
    return DropVersion(
        drop_id, load_id, bytes(sha256), size, fingerprint, kind, period, delivered_at, read, archived,
        tuple(LandingObject(key, size, etag, at) for key, etag, at in zip(keys, etags, times, strict=True)),
    )  # fmt: skip
