"""Contested: which drops of a batch can't be read again beside the others: another one claims a key of theirs."""

from __future__ import annotations

from collections.abc import Mapping

from data_ingestion.engine.dialect import given
from data_ingestion.engine.session import Session
from data_ingestion.merge.table import POSITION, RawTable, TableStatements


def find_contested(session: Session, table: RawTable, stage: str, reread: Mapping[int, int]) -> set[int]:
    """Positions of drops with earlier claims, given with their drops, that another drop of the batch has to do with.

    One of the keys that they hold, wait for, or have in the stage is staged or was claimed by another.
    """
    statements = TableStatements(session, table)
    phrases = {"stage": stage, "position": session.dialect.quote(POSITION)}
    members = given(position=("bigint", reread), drop_id=("bigint", reread.values()))
    statements.scratch(
        "_batch_keys",
        """select distinct {key}, _member from (
               select {key_of_s}, s.{position} as _member from {stage} s
               union all
               select {key_of_r}, g.position from {given} g join {raw} r on r._drop_id = g.drop_id
               union all
               select {key_of_h}, g.position from {given} g join {history} h on h._drop_id = g.drop_id
               where h._fate = 'waiting') k""",
        members,
        phrases,
    )
    contested = statements.rows(
        """select distinct k._member
           from _batch_keys k join (select {key} from _batch_keys group by {key} having count(*) > 1) c
                on {same_key_kc}""",
        None,
        {"same_key_kc": session.dialect.equal(table.key, "k", "c")},
    )
    return {position for (position,) in contested if position in reread}
