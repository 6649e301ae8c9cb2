"""A bank day that two exports share: it ends with the same movement whichever export was loaded first."""

import os

from tests.integration.dbt_feeds import MOVEMENTS, Bank

FEEDS = (Bank(),)
MORNING, EVENING = (number for number, movement in enumerate(MOVEMENTS) if movement[:2] == MOVEMENTS[0][:2])


def test_a_late_export_does_not_end_the_day_of_a_newer_one(world, dbt, reporter):
    def deliver(key: str, number: int, delivered_at: int) -> None:
        world.deliver(key, FEEDS[0].drop([(number, "")]))
        os.utime(world.landing.root / key, (delivered_at, delivered_at))
        world.load()

    deliver("bank_transactions/a.csv", EVENING, 1_704_200_000)
    deliver("bank_transactions/b.csv", MORNING, 1_704_100_000)
    dbt("run", "--select", "+mart_bank_daily_balance")
    closing = reporter.execute("select closing_balance_inr from gold.mart_bank_daily_balance").fetchall()
    assert closing == [(MOVEMENTS[EVENING][4],)]
