"""Profile: the relations of a domain counted where they have changed, and told as one page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_ingestion.errors import OperatorFault
from data_ingestion.events import step
from data_ingestion.landing import Landing
from data_ingestion.profiles.facts import Profile, Relation
from data_ingestion.profiles.page import page

if TYPE_CHECKING:
    from data_ingestion.warehouses.base import ProfileLedger


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
    tell: Callable[[Profiled], None] = lambda _: None,
) -> list[Profiled]:
    """Profiles the relations whose data, columns or marks have changed since their last profile, or all of them."""
    done = []
    for relation in relations:
        present = ledger.look(relation)
        if present is None:
            told = Profiled(relation, None)
        elif not everything and ledger.newest_mark(relation) == present.mark:
            (known,) = ledger.newest([relation])
            told = Profiled(relation, known)
        else:
            with step("profile", domain=relation.domain, relation=relation.told) as facts:
                found = ledger.profile(relation, present)
                ledger.record(found)
                facts |= {"rows": found.rows, "columns": len(found.columns), "masked": found.masked}
            told = Profiled(relation, found, is_new=True)
        tell(told)
        done.append(told)
    return done


def write_page(domain: str, relations: Sequence[Relation], ledger: ProfileLedger, reports: Landing) -> str:
    """Writes the page of a domain's newest profiles; where it lies."""
    key = f"profiles/{domain}.html"
    reports.write(key, page(domain, ledger.newest(relations)).encode())
    return f"{reports.url}/{key}"


def read_manifest(file: Path) -> Mapping[str, Any] | None:
    """dbt's manifest; None where there is none, and so nobody knows of models."""
    try:
        manifest: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise OperatorFault(
            f"{file}: can't be read as dbt's manifest\n  make it anew with `dbt parse`"
        ) from error
    return manifest
