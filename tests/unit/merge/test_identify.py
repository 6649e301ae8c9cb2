"""Identify: what follows for an object's bytes, from how it stands in the ledger."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from data_ingestion.errors import ContractFault, PlanStale
from data_ingestion.landing import LandingObject
from data_ingestion.ledger import Decision, Kind, ObjectState
from data_ingestion.merge.identify import Action, Held, Standing, check_plan, decide, delivery_time
from data_ingestion.plan import PlannedDrop

OLD, NEW = b"old", b"new"
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
PLANNED = PlannedDrop("things", LandingObject("a.csv", 3, "e2", MOMENT), Kind.CORRECTED, "2026-03", "", "e1")
HELD = Held(7, OLD, "print", "a.csv", holders=1, claims=3)
IN_FORCE = Standing(
    ObjectState.IN_FORCE, "things", etag="e1", size=3, period="2026-03", delivered_at=MOMENT, held=HELD
)
CONTRACT = SimpleNamespace(fingerprint_of=lambda *keys: "print")


# Known by the hash of its bytes and of what its path says.
HASH, OTHER_HASH = b"h" * 32, b"o" * 32
OF_ROME = replace(IN_FORCE, held=replace(HELD, sha256=HASH + b"rome"))


@pytest.mark.parametrize(
    ("standing", "sha256", "action"),
    [
        (Standing(), NEW, Action.NEW),
        (Standing(twin=9), NEW, Action.JOIN),
        (IN_FORCE, OLD, Action.TOUCH),
        (IN_FORCE, NEW, Action.CORRECT),
        (OF_ROME, HASH + b"oslo", Action.READ_AGAIN),  # the contract reads another part of its path
        (OF_ROME, HASH, Action.READ_AGAIN),
        (OF_ROME, OTHER_HASH + b"rome", Action.CORRECT),
        (replace(OF_ROME, held=replace(OF_ROME.held, holders=2)), HASH + b"oslo", Action.PART),
        (replace(OF_ROME, twin=9), HASH + b"oslo", Action.JOIN),
        (replace(IN_FORCE, held=replace(HELD, holders=2)), NEW, Action.PART),
        (replace(IN_FORCE, twin=9), NEW, Action.JOIN),
        (replace(IN_FORCE, period="2026-02"), OLD, Action.READ_AGAIN),
        (replace(IN_FORCE, held=replace(HELD, fingerprint="earlier")), OLD, Action.READ_AGAIN),
        (replace(IN_FORCE, decision=Decision.REJECTED, decided=NEW), NEW, Action.STAY_REJECTED),
        (replace(IN_FORCE, decision=Decision.REJECTED, decided=NEW, twin=9), NEW, Action.STAY_REJECTED),
        (replace(IN_FORCE, decision=Decision.REJECTED, decided=b"other"), NEW, Action.CORRECT),
        (replace(IN_FORCE, decision=Decision.ACCEPTED, decided=NEW), NEW, Action.CORRECT),
        (Standing(ObjectState.WITHDRAWN, "things", withdrawn=NEW), NEW, Action.STAY_WITHDRAWN),
        (Standing(ObjectState.WITHDRAWN, "things", withdrawn=NEW, twin=9), NEW, Action.STAY_WITHDRAWN),
        (Standing(ObjectState.WITHDRAWN, "others", withdrawn=NEW), NEW, Action.NEW),
        (Standing(ObjectState.WITHDRAWN, "things", withdrawn=OLD), NEW, Action.NEW),
        (Standing(ObjectState.SEEN, "things", withdrawn=NEW), NEW, Action.NEW),
    ],
)
def test_what_follows_for_bytes(standing, sha256, action):
    assert decide(CONTRACT, PLANNED, sha256, standing) is action


def test_a_replay_reads_what_is_in_force_as_it_is():
    assert decide(CONTRACT, replace(PLANNED, kind=Kind.REPLAY), OLD, IN_FORCE) is Action.READ_AGAIN


def test_a_plan_holds_while_the_object_is_in_the_version_it_was_made_on():
    check_plan(PLANNED, IN_FORCE)
    with pytest.raises(PlanStale, match="another load"):
        check_plan(PLANNED, replace(IN_FORCE, etag="e3"))
    with pytest.raises(PlanStale, match="another load"):
        check_plan(PLANNED, Standing(ObjectState.SEEN, "things"))
    with pytest.raises(ContractFault, match=r"its rows are in raw\.others"):
        check_plan(PLANNED, replace(IN_FORCE, dataset="others"))


def test_a_version_that_was_withdrawn_since_it_was_planned_is_left_alone():
    new = replace(PLANNED, kind=Kind.NEW, ledger_etag=None)
    withdrawn = Standing(ObjectState.WITHDRAWN, "things", etag="e2", size=3)
    with pytest.raises(PlanStale, match="withdrawn since"):
        check_plan(new, withdrawn)
    check_plan(new, replace(withdrawn, etag="e1"))


@pytest.mark.parametrize(
    ("standing", "seen", "same_bytes", "delivered"),
    [
        (Standing(), 5, False, 5),
        (IN_FORCE, 5, True, 0),  # a touch moves nothing
        (IN_FORCE, 5, False, 5),
        (IN_FORCE, -5, False, 0),  # never back
        (Standing(ObjectState.SEEN, "things", delivered_at=MOMENT, withdrawn=NEW), 5, False, 0),
        (Standing(ObjectState.SEEN, "things", delivered_at=MOMENT, withdrawn=OLD), -5, False, -5),
    ],
)
def test_a_delivery_time_moves_only_with_the_content_and_never_back(standing, seen, same_bytes, delivered):
    item = replace(PLANNED.object, last_modified=MOMENT + timedelta(days=seen))
    found = delivery_time(standing, replace(PLANNED, object=item), NEW, is_unchanged=same_bytes)
    assert found == MOMENT + timedelta(days=delivered)
