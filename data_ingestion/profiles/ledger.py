"""What the ledger keeps of profiles: the newest of each relation, and some before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from data_ingestion.engine.dialect import given
from data_ingestion.engine.session import Session
from data_ingestion.profiles.count import count
from data_ingestion.profiles.facts import ColumnProfile, Present, Profile, Relation

# So many profiles of a relation are kept.
KEPT = 60


class ProfileLedger:
    """Relations of the warehouse as they are, and what was found in them, over a session."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def look(self, relation: Relation) -> Present | None:
        """The relation as it is in the warehouse; None if it is missing, or no permission to read it."""
        found = self.session.describe(relation.schema, relation.name)
        if found is None or not found.is_readable:
            return None
        shown = [relation.may_show(name, kind) for name, kind in found.columns]
        text = repr((found.state, found.columns, shown, relation.marks))
        return Present(found.columns, hashlib.sha256(text.encode()).hexdigest()[:32])

    def newest_mark(self, relation: Relation) -> str | None:
        """The mark of the relation's newest profile."""
        row = self.session.row(
            """select mark from ops.profiles where relation_schema = $schema and relation_name = $name
               order by profile_id desc limit 1""",
            schema=relation.schema,
            name=relation.name,
        )
        return row[0] if row else None

    def profile(self, relation: Relation, present: Present) -> Profile:
        """Counts a relation. Values of columns that may not be shown never leave the server."""
        return count(self.session, relation, present)

    def record(self, profile: Profile) -> None:
        """Stores a profile. Columns that are masked now also lose their values in earlier profiles of the relation."""
        relation = profile.relation
        of_relation = "relation_schema = $schema and relation_name = $name"
        with self.session.transaction():
            (profile_id,) = self.session.draw("profiles", 1)
            self.session.run(
                """insert into ops.profiles (profile_id, domain, layer, relation_schema, relation_name, mark, rows,
                                             sampled_rows, seconds, profiled_at)
                   {explicit_ids} values ($profile_id, $domain, $layer, $schema, $name, $mark, $counted, $sampled,
                                          $seconds, {now})""",
                profile_id=profile_id,
                domain=relation.domain,
                layer=relation.layer,
                mark=profile.mark,
                counted=profile.rows,
                sampled=profile.sampled,
                seconds=profile.seconds,
                schema=relation.schema,
                name=relation.name,
            )
            columns = profile.columns
            self.session.run(
                """insert into ops.profile_columns (profile_id, position, column_name, data_type, classification,
                       is_masked, nulls, distinct_values, minimum, maximum, top_values)
                   select $profile_id, g.position, g.name, g.kind, g.classification, g.is_masked, g.nulls,
                          g.distinct_values, g.minimum, g.maximum, g.top_values
                   from {given} g""",
                given(
                    position=("integer", range(1, len(columns) + 1)),
                    name=("text", [one.name for one in columns]),
                    kind=("text", [one.type for one in columns]),
                    classification=("text", [one.classification for one in columns]),
                    is_masked=("boolean", [one.is_masked for one in columns]),
                    nulls=("bigint", [one.nulls for one in columns]),
                    distinct_values=("bigint", [one.distinct_values for one in columns]),
                    minimum=("text", [one.minimum for one in columns]),
                    maximum=("text", [one.maximum for one in columns]),
                    top_values=("json", [json.dumps(one.top_values) for one in columns]),
                ),
                profile_id=profile_id,
            )
            self.session.run(
                """update ops.profile_columns set is_masked = true, minimum = null, maximum = null, top_values = '[]'
                   where profile_id in (select profile_id from ops.profiles where {of_relation})
                     and not is_masked and column_name in (select column_name from {given} g)""",
                given(column_name=("text", [one.name for one in columns if one.is_masked])),
                {"of_relation": of_relation},
                schema=relation.schema,
                name=relation.name,
            )
            # The columns first: not every warehouse takes them away with their profile.
            for table in ("profile_columns", "profiles"):
                self.session.run(
                    """delete from ops.{table} where profile_id in (
                           select profile_id from ops.profiles where {of_relation}
                           order by profile_id desc offset $kept)""",
                    phrases={"table": table, "of_relation": of_relation},
                    kept=KEPT,
                    schema=relation.schema,
                    name=relation.name,
                )

    def newest(self, relations: Sequence[Relation]) -> list[Profile]:
        """The newest profile of each relation that has one, in their order."""
        return [profile for relation in relations if (profile := self._newest(relation))]

    def _newest(self, relation: Relation) -> Profile | None:
        row = self.session.row(
            """select profile_id, mark, rows, sampled_rows, seconds, profiled_at from ops.profiles
               where relation_schema = $schema and relation_name = $name order by profile_id desc limit 1""",
            schema=relation.schema,
            name=relation.name,
        )
        if row is None:
            return None
        profile_id, mark, rows, sampled, seconds, at = row
        columns = self.session.rows(
            """select column_name, data_type, classification, is_masked, nulls, distinct_values, minimum, maximum,
                      cast(top_values as text)
               from ops.profile_columns where profile_id = $profile_id order by position""",
            profile_id=profile_id,
        )
        found = tuple(
            ColumnProfile(
                name, kind, given_mark, is_masked, nulls, distinct, least, most,
                tuple((value, times) for value, times in json.loads(top)),
            )
            for name, kind, given_mark, is_masked, nulls, distinct, least, most, top in columns
        )  # fmt: skip
        return Profile(relation, mark, rows, sampled, found, seconds, at)
