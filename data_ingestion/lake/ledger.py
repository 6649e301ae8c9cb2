"""What the ledger holds about the lake: files announced before they are written, and drops archived in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractContextManager

from data_ingestion.engine.dialect import Given, as_bytes, given
from data_ingestion.engine.session import Session
from data_ingestion.errors import LawBroken
from data_ingestion.lake.files import ROUND_DROPS, Archived, DropVersion, LakeFile
from data_ingestion.landing import LandingObject


class LakeLedger:
    """The lake's part of the ledger, over a session with the warehouse."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def is_lost(self) -> bool:
        """Whether the session is gone, so that it is not known what was committed last."""
        return self.session.is_lost

    def exclusive(self, dataset: str) -> AbstractContextManager[None]:
        """One run a dataset at a time; another waits for its turn. Ends with the session at the latest."""
        return self.session.exclusive("lake", dataset)

    def to_archive(self, dataset: str) -> list[DropVersion]:
        """The next versions of drops in force that no archive run has looked at, in the order of their loads."""
        rows = self.session.rows(
            """select d.drop_id, d.load_id, d.sha256, d.size_bytes, d.fingerprint, l.kind, d.rank_period,
                      d.rank_delivered_at, l.rows_read, coalesce(a.sha256 = d.sha256, false), d.rank_object_key
               from (select d.*, (select max(b.load_id) from ops.lake_drops b
                                  where b.drop_id = d.drop_id and b.file_id is not null) as archived
                     from ops.drops d) d
               join ops.loads l on l.load_id = d.load_id
               left join ops.lake_drops a on a.drop_id = d.drop_id and a.load_id = d.archived
               where d.dataset = $dataset and d.ended_at is null and d.load_id > $archived
               order by d.load_id limit $count""",
            dataset=dataset,
            archived=self._archived(dataset),
            count=ROUND_DROPS,
        )
        holders = self._holders([drop_id for drop_id, *_ in rows])
        return [
            DropVersion(
                drop_id, load_id, as_bytes(sha256), size, fingerprint, kind, period, at, read, is_archived,
                _in_order(holders[drop_id], first),
            )
            for drop_id, load_id, sha256, size, fingerprint, kind, period, at, read, is_archived, first in rows
        ]  # fmt: skip

    def _archived(self, dataset: str) -> int:
        """Up to which load the dataset is archived."""
        row = self.session.row("select load_id from ops.lake_marks where dataset = $dataset", dataset=dataset)
        return row[0] if row else 0

    def _holders(self, drop_ids: Sequence[int]) -> dict[int, list[LandingObject]]:
        """The objects that hold each drop."""
        holders: dict[int, list[LandingObject]] = defaultdict(list)
        for drop_id, key, size, etag, at in self.session.rows(
            """select o.drop_id, o.object_key, o.size_bytes, o.etag, o.last_modified
               from ops.objects o join {given} g on g.drop_id = o.drop_id""",
            given(drop_id=("bigint", drop_ids)),
        ):
            holders[drop_id].append(LandingObject(key, size, etag, at))
        return holders

    def announce(self, files: Sequence[LakeFile]) -> list[LakeFile]:
        """Notes files that are to be written, before anything is; the files with their ids."""
        ids = self.session.draw("lake_files", len(files))
        named = [
            LakeFile(file_id, file.dataset, file.date, file.first_load, file.last_load)
            for file_id, file in zip(ids, files, strict=True)
        ]
        if named:
            self.session.run(
                """insert into ops.lake_files
                       (file_id, dataset, date, path, state, first_load_id, last_load_id, began_at)
                   {explicit_ids} select file_id, dataset, date, path, 'writing', first_load, last_load, {now}
                   from {given} g""",
                given(
                    file_id=("bigint", ids),
                    dataset=("text", [file.dataset for file in named]),
                    date=("date", [file.date for file in named]),
                    path=("text", [file.path for file in named]),
                    first_load=("bigint", [file.first_load for file in named]),
                    last_load=("bigint", [file.last_load for file in named]),
                ),
            )
        return named

    def record_archived(
        self, dataset: str, files: Sequence[LakeFile], archived: Sequence[Archived], load_id: int
    ) -> None:
        """Makes announced files part of the lake, with what is in them, and moves the mark to the load, all at once."""
        with self.session.transaction():
            self._put_in_lake(files)
            if archived:
                self.session.upsert(
                    "ops.lake_drops",
                    ["drop_id", "load_id"],
                    given(
                        drop_id=("bigint", [each.version.drop_id for each in archived]),
                        load_id=("bigint", [each.version.load_id for each in archived]),
                        sha256=("blob", [each.version.sha256 for each in archived]),
                        object_key=("text", [each.object_key for each in archived]),
                        file_id=("bigint", [each.file_id for each in archived]),
                        records=("bigint", [each.records for each in archived]),
                    ),
                )
            self.session.upsert(
                "ops.lake_marks",
                ["dataset"],
                given(
                    dataset=("text", [dataset]), load_id=("bigint", [max(load_id, self._archived(dataset))])
                ),
            )
            # Announced, but every drop of it had gone.
            self.session.run(
                "update ops.lake_files set state = 'deleted' where dataset = $dataset and state = 'writing'",
                dataset=dataset,
            )

    def record_joined(self, files: Sequence[LakeFile], joined: LakeFile) -> None:
        """Lets an announced file take the place of others at once. Those are still to be deleted."""
        with self.session.transaction():
            self._put_in_lake([joined])
            ended = self.session.run(
                """update ops.lake_files set state = 'replaced', replaced_by = $joined
                   where file_id in (select file_id from {given} g) and state = 'in_lake'""",
                _ids(files),
                joined=joined.file_id,
            )
            if ended != len(files):
                raise LawBroken(f"{len(files)} files of the lake were put together, {ended} were in it")

    def _put_in_lake(self, files: Sequence[LakeFile]) -> None:
        for file in files:
            found = self.session.run(
                """update ops.lake_files set state = 'in_lake', drops = $drops, records = $records,
                          size_bytes = $size, written_at = {now}
                   where file_id = $file_id and state = 'writing'""",
                drops=file.drops,
                records=file.records,
                size=file.size,
                file_id=file.file_id,
            )
            if found != 1:
                raise LawBroken(f"{file.path}: not announced, or taken away meanwhile")

    def leftovers(self, dataset: str) -> list[LakeFile]:
        """Files that are no part of the lake and may still lie there: of runs that were cut off, or replaced."""
        return self._files(dataset, "state in ('writing', 'replaced')")

    def record_deleted(self, files: Sequence[LakeFile]) -> None:
        """Notes that leftovers lie there no more."""
        if files:
            self.session.run(
                "update ops.lake_files set state = 'deleted' where file_id in (select file_id from {given} g)",
                _ids(files),
            )

    def files(self, dataset: str) -> list[LakeFile]:
        """The files that are the lake now."""
        return self._files(dataset, "state = 'in_lake'")

    def _files(self, dataset: str, condition: str) -> list[LakeFile]:
        rows = self.session.rows(
            """select file_id, dataset, date, first_load_id, last_load_id, coalesce(drops, 0), coalesce(records, 0),
                      coalesce(size_bytes, 0)
               from ops.lake_files where dataset = $dataset and {condition} order by date, first_load_id, file_id""",
            phrases={"condition": condition},
            dataset=dataset,
        )
        return [LakeFile(*row) for row in rows]


def _in_order(holders: Sequence[LandingObject], first: str) -> tuple[LandingObject, ...]:
    """By key, that of the drop's rank in front."""
    return tuple(sorted(holders, key=lambda one: (one.key != first, one.key)))


def _ids(files: Sequence[LakeFile]) -> Given:
    return given(file_id=("bigint", [file.file_id for file in files]))
