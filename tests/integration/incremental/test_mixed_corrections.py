"""Every kind of thing that happens to a dataset happens to all of them, and silver and gold follow it step by step.

Random histories (test_histories.py) find what nobody thought of; here it is proven that each kind did happen.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from data_ingestion.contract import Contract
from data_ingestion.contract.terms import Acceptance, Allowance
from data_ingestion.withdraw import undo_withdrawal, withdraw
from tests.integration.dbt_feeds import Bank, Web, World
from tests.integration.dbt_fleet import Fleet
from tests.integration.dbt_orders import Orders
from tests.integration.dbt_sales import Restatements, Sales
from tests.integration.incremental.two_ways import differences

FEEDS = (Bank(), Web(), Fleet(), Orders(), Sales(), Restatements())
DOMAINS = ("bank", "fleet", "orders", "sales", "web")
# A rule of each contract that some of the rows break, as its column and what is said of it instead.
STRICTER = {
    "bank_transactions": ("details", {"accepted_values": ("out",)}),
    "events": ("event_date", {"formats": ("%Y-%m-%d",)}),
    "vehicle_events": ("latitude", {"maximum": 0.03}),
    "order_changes": ("source_table", {"accepted_values": ("customers", "orders")}),
    "customer_transactions": ("transaction_date", {"formats": ("%Y-%m-%d",)}),
    "transaction_restatements": ("transaction_date", {"formats": ("%Y-%m-%d",)}),
}

ALL = tuple(STRICTER)
DATED = ("events", "vehicle_events", "customer_transactions", "transaction_restatements")
JSON_LINES = ("vehicle_events", "order_changes")
# What a load may have done, and how its line in the ledger says so. Keys that are gone are gone from every drop.
EFFECTS = {
    "inserted": "inserted > 0",
    "updated": "updated > 0",
    "superseded": "superseded > 0",
    "quarantined": "quarantined > 0",
    "withdrawn": "withdrawn > 0",
    "restored": "restored > 0",
    "gone": "withdrawn > restored",
}


def stricter(contract: Contract) -> Contract:
    name, terms = STRICTER[contract.dataset]
    columns = tuple(replace(it, **terms) if it.name == name else it for it in contract.columns)
    return replace(
        contract, columns=columns, acceptance=Acceptance(Allowance(1, 1_000), 1, withdrawn_share=1)
    )


def deliver(world: World, place: int, seed: int) -> None:
    """A random file of every feed under its key at that place, long enough to hold every kind of row."""
    for feed in FEEDS:
        chance = random.Random(seed)
        drops = [feed.random_drop(chance).splitlines() for _ in range(3)]
        header = drops[0][: feed.contract.dataset not in JSON_LINES]
        rows = [line for drop in drops for line in drop[len(header) :]]
        world.deliver(feed.keys[place], b"\n".join([*header, *rows]))


def copy(world: World, place: int, to: int) -> None:
    for feed in FEEDS:
        world.deliver(feed.keys[to], (world.landing.root / feed.keys[place]).read_bytes())


def did_not_happen(world: World, after: int, wanted: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """What datasets lack since an attempt, of the kinds of loads and the effects that were wanted of them."""
    effects = ", ".join(f"case when {condition} then '{effect}' end" for effect, condition in EFFECTS.items())
    had = set(
        world.warehouse.connection.execute(
            f"select dataset, unnest(array[kind, {effects}]) from ops.loads where attempt_id > %s and state = 'loaded'",
            [after],
        ).fetchall()
    )
    return [
        (dataset, what)
        for what, datasets in wanted.items()
        for dataset in datasets
        if (dataset, what) not in had
    ]


def newest_attempt(world: World) -> int:
    query = "select coalesce(max(attempt_id), 0) from ops.loads"
    return int(world.warehouse.connection.execute(query).fetchone()[0])


def test_all_domains_follow_every_kind_of_correction(world, build_both, transformer, relations):
    def step(act: Callable[[], object], **wanted: Sequence[str]) -> None:
        before = newest_attempt(world)
        act()
        world.load()
        assert did_not_happen(world, before, wanted) == []

    def built(act: Callable[[], object], **wanted: Sequence[str]) -> None:
        step(act, **wanted)
        build_both()
        assert differences(transformer, relations) == {}

    def read_by(change: Callable[[Contract], Contract]) -> None:
        world.contracts = [change(feed.contract) for feed in FEEDS]

    def withdrawn() -> None:
        for feed in FEEDS:
            withdraw(world.contracts, world.landing, world.warehouse, feed.keys[2])

    def taken_back() -> None:
        for feed in FEEDS:
            undo_withdrawal(world.contracts, world.landing, world.warehouse, feed.keys[2])

    # Seeds with which all of it happens: where a feed draws otherwise than it did, others may be needed.
    built(lambda: deliver(world, 1, seed=1), new=ALL, inserted=ALL)
    built(lambda: deliver(world, 0, seed=2), inserted=ALL, late=DATED, superseded=DATED)
    step(lambda: copy(world, 1, to=2), duplicate=ALL)
    built(lambda: deliver(world, 2, seed=3), corrected=ALL, inserted=ALL, updated=ALL)
    built(lambda: deliver(world, 2, seed=4), corrected=ALL, updated=ALL, withdrawn=ALL)
    built(withdrawn, withdrawal=ALL, restored=ALL, gone=ALL)
    step(taken_back, updated=ALL)
    built(lambda: read_by(stricter), replay=ALL, quarantined=ALL, withdrawn=ALL)
    built(lambda: read_by(lambda contract: contract), replay=ALL)
