"""The real events all the way to gold: every answer is that of plain Python over the file."""

import csv
from datetime import date

import pytest
import yaml

from tests.integration.dbt_feeds import SPANS, TOTALS, Web, web_answers
from tests.integration.dbt_session import ROOT

DATA = ROOT.parent / "shared" / "data" / "events"
KNOWN_ACTIONS = yaml.safe_load((ROOT / "dbt/dbt_project.yml").read_text())["vars"]["web_known_actions"]
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real events are not on this machine")
FEEDS = (Web(),)
MARTS = {**SPANS, **TOTALS}


@pytest.fixture(scope="module")
def events():
    """Day, e-mail, country, address and action of each event, the last that a file has of it."""
    found = {}
    for path in sorted(DATA.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                day = date.fromisoformat(row["timestamp"].replace("/", "-"))
                found[row["id"]] = (day, *(row[name] for name in ("email", "country", "ip", "action")))
    return found


@pytest.fixture(scope="module")
def built(world, dbt, events):
    """The real file as the drop of its events' month, silver and gold built and tested."""
    (path,) = DATA.glob("*.csv")
    world.deliver(f"{max(event[0] for event in events.values()):%Y/%m}/events.csv", path.read_bytes())
    world.load()
    return dbt("build", "--select", "tag:web", "--exclude", "test_type:unit")


@pytest.mark.parametrize("mart", MARTS)
def test_gold_says_what_the_file_says(built, reporter, events, mart):
    said = reporter.execute(f"select {MARTS[mart]} from gold.{mart}").fetchall()
    answer = web_answers(events.values(), KNOWN_ACTIONS)[mart]
    assert len(said) == len(answer) > 0
    assert set(said) == answer
