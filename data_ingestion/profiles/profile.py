"""Profile: the relations of a domain counted where they have changed, and shown on one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_ingestion.events import step
from data_ingestion.landing import Landing
from data_ingestion.profiles.facts import Profile, Relation
from data_ingestion.profiles.page import page

if TYPE_CHECKING:
    from data_ingestion.profiles.ledger import ProfileLedger


@dataclass(frozen=True)
class Profiled:
    """What became of a relation: its newest profile, none if it is not there or may not be read."""

    relation: Relation
    profile: Profile | None
    is_new: bool = False


def profile(
    relations: Sequence[Relation],
    ledger: ProfileLedger,
    *,
    everything: bool = False,
    on_done: Callable[[Profiled], None] = lambda _: None,
) -> list[Profiled]:
    """Profiles the relations whose data, columns or marks have changed since their last profile, or all of them."""
    done = []
    for relation in relations:
        present = ledger.look(relation)
        if present is None:
            profiled = Profiled(relation, None)
        elif not everything and ledger.newest_mark(relation) == present.mark:
            (known,) = ledger.newest([relation])
            profiled = Profiled(relation, known)
        else:
            with step("profile", domain=relation.domain, relation=relation.qualified_name) as facts:
                found = ledger.profile(relation, present)
                ledger.record(found)
                facts |= {"rows": found.rows, "columns": len(found.columns), "masked": found.masked}
            profiled = Profiled(relation, found, is_new=True)
        on_done(profiled)
        done.append(profiled)
    return done


def write_page(domain: str, relations: Sequence[Relation], ledger: ProfileLedger, reports: Landing) -> str:
    """Writes the page of a domain's newest profiles; where it lies."""
    key = f"profiles/{domain}.html"
    reports.write(key, page(domain, ledger.newest(relations)).encode())
    return f"{reports.url}/{key}"
