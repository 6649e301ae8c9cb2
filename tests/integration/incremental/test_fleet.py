"""Positions and operating periods that come late or are told anew, built step by step."""

from datetime import timedelta

from tests.integration.dbt_fleet import (
    FLEET_COLUMNS,
    MIDNIGHT,
    VEHICLES,
    Fleet,
    period,
    record,
    update,
    wrong_fleet_answers,
)
from tests.integration.incremental.two_ways import differences

FLEET = Fleet()
FEEDS = (FLEET,)
DOMAINS = ("fleet",)


def test_late_positions_and_a_period_planned_anew_change_the_distances_of_that_period_alone(
    world, build_both, transformer, relations
):
    def at(minutes):
        return MIDNIGHT + timedelta(minutes=minutes)

    def distances():
        columns = "operating_period_id, organization_id, positions"
        return set(transformer.execute(f"select {columns} from gold.mart_fleet_vehicle_distances").fetchall())

    def told(*events):
        world.deliver(key, FLEET.drop(events))
        world.load()
        build_both()
        assert differences(transformer, relations) == {}
        assert wrong_fleet_answers(transformer, world.raw(FLEET, FLEET_COLUMNS)) == {}

    key, *others = FLEET.keys
    for other in others:
        world.deliver(other, FLEET.drop([record("c", "vehicle", "register", VEHICLES[2], at(0))]))
    driven = [update("a", VEHICLES[0], at(minutes), 0, minutes / 100) for minutes in (-30, -15, 5, 20)]
    night, other_day = period("a", "night", at(-60), at(-20), 30), period("a", "late", at(-60), at(1500), 30)
    told(*driven, night, other_day)
    assert distances() == {("night", "a", 2)}
    late = update("a", VEHICLES[0], at(-16), 0.5, 0.5)
    told(*driven, late, night, other_day)
    assert distances() == {("night", "a", 3)}
    told(*driven, late, period("a", "night", at(-60), at(-31), 60), other_day)
    assert distances() == {("night", "a", 5)}
    told(*driven, late, night, other_day, record("a", "operating_period", "delete", "night", at(-15.5)))
    assert distances() == {("night", "a", 1)}
    told(*driven, other_day)
    assert distances() == set()
