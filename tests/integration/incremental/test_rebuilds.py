"""Rebuilds: incremental models follow a raw table that was made again, and equal a full refresh."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from data_ingestion.rebuild import rebuild
from tests.integration.dbt_feeds import MOVEMENTS, Bank, Web
from tests.integration.incremental.two_ways import differences, mark

BANK, WEB = Bank(), Web()
FEEDS = (BANK, WEB)
DOMAINS = ("bank", "web")


@pytest.fixture
def limited(world):
    """The bank's contract with a limit of balances that half of the movements break, for one block."""
    columns = [
        replace(column, maximum=1000) if column.name == "balance_inr" else column
        for column in BANK.contract.columns
    ]
    strict = replace(BANK.contract, columns=tuple(columns))

    @contextmanager
    def using():
        world.contracts[0] = strict
        yield strict
        world.contracts[0] = BANK.contract
        rebuild(BANK.contract, world.landing, world.warehouse)

    return using


def test_models_follow_a_rebuild_that_loses_rows_and_one_that_brings_them_back(
    world, build_both, transformer, relations, limited
):
    world.deliver(BANK.keys[0], BANK.drop((number, "") for number in range(len(MOVEMENTS))))
    world.load()
    build_both()
    before = transformer.execute("select count(*) from gold.fct_bank_movement").fetchone()
    with limited() as strict:
        report = rebuild(strict, world.landing, world.warehouse)
        assert report.fates.quarantined > 0
        build_both()
        assert transformer.execute("select count(*) from gold.fct_bank_movement").fetchone() < before
        assert differences(transformer, relations) == {}
    build_both()
    assert transformer.execute("select count(*) from gold.fct_bank_movement").fetchone() == before
    assert differences(transformer, relations) == {}


def test_what_was_not_built_yet_when_raw_was_made_again_is_not_missed(
    world, build_both, transformer, relations
):
    day = "2024-02-01"
    event = "00000000-0000-0000-0000-00000000000{}"
    rows = [
        (event.format(number), day, "ann@harbour.example", "Peru", "192.0.2.7", "visit")
        for number in (1, 2, 3)
    ]
    world.deliver(WEB.keys[0], WEB.drop(rows))
    world.deliver(WEB.keys[1], WEB.drop(rows[:1]))
    world.load()
    build_both()
    world.deliver(WEB.keys[0], WEB.drop(rows[:2]))
    world.load()
    rebuild(WEB.contract, world.landing, world.warehouse)
    world.deliver(WEB.keys[1], WEB.drop(rows[:2]))
    world.load()
    build_both()
    assert differences(transformer, relations) == {}


def test_models_that_followed_another_key_ask_for_a_full_refresh(world, builds, build_both, transformer):
    world.deliver(BANK.keys[1], BANK.drop([(1, "")]))
    world.load()
    build_both()
    report = rebuild(BANK.contract, world.landing, world.warehouse)
    loader = world.warehouse.connection
    loader.execute("update ops.loads set plan = 'rekey' where load_id = %s", [report.load_id])
    assert mark(transformer) < report.load_id
    with pytest.raises(
        AssertionError, match=r"rebuilt raw with another key(.|\n)*--full-refresh --select int_bank"
    ):
        builds[0]("run", "--select", "int_bank_movements")
    builds[0]("run", "--select", "int_bank_movements", "--full-refresh")
    builds[0]("run", "--select", "int_bank_movements")
