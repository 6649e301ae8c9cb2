"""Events that move between days, built step by step."""

from datetime import date

from tests.integration.dbt_feeds import EVENTS, Web
from tests.integration.incremental.two_ways import differences

WEB = Web()
FEEDS = (WEB,)
DOMAINS = ("web",)


def days_of(connection):
    return {day for (day,) in connection.execute("select event_date from gold.mart_web_events_daily")}


def test_an_event_that_moved_leaves_its_old_day_though_nothing_remembers_it(
    world, build_both, transformer, relations
):
    """January's claim waits behind February's and is corrected there: its first content is in no table any more."""
    january, february, march = WEB.keys
    elsewhere = (EVENTS[1], "2024-03-01", "bo@harbour.example", "Peru", "192.0.2.7", "visit")

    def event(day):
        return (EVENTS[0], day, "ann@harbour.example", "Peru", "192.0.2.7", "visit")

    world.deliver(february, WEB.drop([elsewhere]))
    world.deliver(march, WEB.drop([elsewhere]))
    world.deliver(january, WEB.drop([event("2021-05-05")]))
    world.load()
    build_both()
    assert days_of(transformer) >= {date(2021, 5, 5)}
    world.deliver(february, WEB.drop([event("2022-06-06")]))
    world.load()
    world.deliver(january, WEB.drop([event("2020-04-04")]))
    world.load()
    build_both()
    assert days_of(transformer) == {date(2022, 6, 6), date(2024, 3, 1)}
    assert differences(transformer, relations) == {}
