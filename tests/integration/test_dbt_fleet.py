"""The fleet's marts on a real warehouse, from its files to the answers, held against plain Python."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
import yaml

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
from tests.integration.dbt_session import ROOT
from tests.integration.test_fleet_data import DATA, unpack_real

FLEET = Fleet()
FEEDS = (FLEET,)
FIRST, SECOND, _ = FLEET.keys


def at(minutes: float):
    return MIDNIGHT + timedelta(minutes=minutes)


@pytest.fixture(scope="module")
def world(world):
    """A vehicle that drives through a period over midnight, and one that only tells a place when it goes."""
    driven = [update("a", VEHICLES[0], at(minutes), 0, minutes / 100) for minutes in (-20, -10, 0, 10, 20)]
    gone = record("a", "vehicle", "deregister", VEHICLES[1], at(5), location={"lat": 1, "lng": 1, "at": None})
    world.deliver(FIRST, FLEET.drop([*driven[:2], gone, period("a", "night", at(-60), at(-10), 20)]))
    world.deliver(SECOND, FLEET.drop([*driven[1:], update("b", VEHICLES[0], at(0), 0, 0)]))
    world.load()
    return world


@pytest.fixture(scope="module")
def built(world, dbt):
    return dbt("build", "--select", "tag:fleet")


def test_a_build_of_the_fleet_passes_every_check(built):
    assert {node["status"] for node in built.values()} <= {"success", "pass", "warn", "no-op"}
    assert built["fleet_distances_between_cities_are_those_of_an_atlas"]["status"] == "pass"
    assert built["fleet_totals_reconcile"]["status"] == "pass"


def test_only_the_way_inside_the_period_counts_and_midnight_does_not_cut_it(built, reporter):
    rows = reporter.execute(
        "select operating_period_id, vehicle_id, positions, distance_km from gold.mart_fleet_vehicle_distances"
    ).fetchall()
    assert rows == [("night", VEHICLES[0], 3, Decimal("22.239016"))]
    averages = reporter.execute("select average_distance_km from gold.mart_fleet_average_distance").fetchall()
    assert averages == [(Decimal("22.239016"),)]


def test_a_vehicle_is_one_organization_s_and_an_event_told_twice_counts_once(built, reporter):
    rows = reporter.execute(
        "select organization_id, vehicle_id, updates, update_rank from gold.mart_fleet_vehicle_updates order by 4, 1"
    ).fetchall()
    assert rows == [("a", VEHICLES[0], 5, 1), ("b", VEHICLES[0], 1, 2), ("a", VEHICLES[1], 0, 3)]


def test_a_place_on_a_deregistration_warns_and_is_kept_for_a_look(built, transformer):
    assert built["fleet_event_has_fields_of_another_kind"]["status"] == "warn"
    rows = transformer.execute("select event, subject_id from audit.fleet_event_has_fields_of_another_kind")
    assert rows.fetchall() == [("deregister", VEHICLES[1])]


def test_positions_are_marked_as_personal(built, dbt):
    nodes = json.loads(dbt.manifest.read_text())["nodes"].values()
    exposed = [
        f"{node['name']}.{name}"
        for node in nodes
        if node["resource_type"] == "model" and "fleet" in node["fqn"]
        for name, column in node["columns"].items()
        if (
            name in ("latitude", "longitude", "east_km", "north_km", "point_label")
            or name.endswith("located_at")
        )
        and column["config"].get("meta", {}).get("classification") != "personal"
    ]
    assert exposed == []


def test_gold_has_an_answer_for_every_metric_and_column_of_the_dashboard(built, reporter):
    """Superset asks with these very expressions; nothing of them may be an error or, of a metric, empty."""
    datasets = [
        yaml.safe_load(path.read_text())
        for path in (ROOT / "superset/assets/datasets/warehouse").glob("mart_fleet_*.yaml")
    ]
    assert len(datasets) == 8
    for dataset in datasets:
        table = f"{dataset['schema']}.{dataset['table_name']}"
        metrics = ", ".join(metric["expression"] for metric in dataset["metrics"])
        columns = ", ".join(column.get("expression", column["column_name"]) for column in dataset["columns"])
        assert None not in reporter.execute(f"select {metrics} from {table}").fetchone(), table
        assert reporter.execute(f"select {columns} from {table}").fetchall(), table


def kinds(reporter, mart, vehicle=""):
    query = (
        f"select point_kind, count(*) from gold.{mart} where coalesce(vehicle_label, '') like %s group by 1"
    )
    return dict(reporter.execute(query, [f"{vehicle}%"]).fetchall())


def test_the_map_of_a_path_shows_it_between_two_corners_that_hold_it(built, reporter):
    assert kinds(reporter, "mart_fleet_path_map", "1 ") == {
        "First position": 1, "On the way": 3, "Last position": 1, "Corner of the map": 2,
    }  # fmt: skip
    assert kinds(reporter, "mart_fleet_path_map", "2 ") == {"Last position": 1, "Corner of the map": 2}
    (widest, highest) = reporter.execute(
        "select max(east_km), max(north_km) from gold.mart_fleet_path_map"
    ).fetchone()
    assert widest == highest
    assert widest >= Decimal("22.239")


def test_the_map_of_last_positions_has_every_vehicle_that_reported_one_and_the_ground_driven_on(
    built, reporter
):
    found = kinds(reporter, "mart_fleet_last_map")
    assert (found["Top vehicle"], found["Other vehicles"], found["Corner of the map"]) == (1, 1, 2)
    assert found["Driven in the last hour"] == 5


def test_a_position_of_2099_warns_and_shrinks_no_last_hour(built, world, dbt, reporter, transformer):
    hours = "select vehicle_id, count(*), max(located_at) from gold.mart_fleet_vehicle_paths group by 1 order by 1"
    before = reporter.execute(hours).fetchall()
    late = update("a", VEHICLES[0], at(30), 0, 0.2)
    late["data"]["location"]["at"] = "2099-01-01T00:00:00.000Z"
    world.deliver(FLEET.keys[2], FLEET.drop([late]))
    world.load()
    again = dbt("build", "--select", "tag:fleet", "--exclude", "resource_type:unit_test")
    assert again["fleet_position_is_in_the_future"]["status"] == "warn"
    assert transformer.execute("select count(*) from audit.fleet_position_is_in_the_future").fetchone() == (
        1,
    )
    assert reporter.execute(hours).fetchall() == before
    counted = "select updates, updates_ahead from gold.mart_fleet_vehicle_updates where place = 1"
    assert reporter.execute(counted).fetchone() == (6, 1)


@pytest.mark.skipif(not DATA.is_dir(), reason="the real vehicle events are not on this machine")
def test_gold_answers_of_the_real_files_what_python_does(built, world, dbt, transformer):
    """On top of the small files: they have their own answers, and the marts follow the loads."""
    unpack_real(world.landing.root)
    world.load(full=True)
    dbt("build", "--select", "tag:fleet", "--exclude", "resource_type:unit_test")
    assert wrong_fleet_answers(transformer, world.raw(FLEET, FLEET_COLUMNS)) == {}
    (periods,) = transformer.execute(
        "select count(*) from gold.mart_fleet_operating_periods where vehicles > 1 and distance_km > 0"
    ).fetchone()
    assert periods > 0
