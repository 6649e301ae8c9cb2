"""The real sales all the way to gold: every answer is that of plain Python over the files."""

import pytest

from tests.integration.dbt_sales import QUERIES, Restatements, Sales, sales_answers
from tests.integration.sales_files import DATA, FILES, needs_real_sales, real_rows

pytestmark = needs_real_sales
FEEDS = (Sales(), Restatements())


@pytest.fixture(scope="module")
def built(world, dbt):
    """The real files loaded, silver and gold built and tested."""
    for dataset, name in FILES.items():
        world.deliver(f"{dataset}/2023/07/21/00/{name}", (DATA / name).read_bytes())
    world.load()
    return dbt("build", "--select", "tag:sales", "--exclude", "test_type:unit")


@pytest.fixture
def gold(built, reporter):
    return reporter


@pytest.fixture(scope="module")
def answers():
    return sales_answers(*(real_rows(dataset) for dataset in FILES))


@pytest.mark.parametrize("name", QUERIES)
def test_gold_says_what_the_files_say(gold, answers, name):
    said = gold.execute(QUERIES[name]).fetchall()
    assert len(said) == len(answers[name])
    assert set(said) == answers[name]


def test_what_was_restated_is_shown_as_restated(gold):
    delivered, restated = ({row["transaction_id"]: row for row in real_rows(name)} for name in FILES)
    changed = {
        number: row for number, row in restated.items() if any(delivered[number][n] != row[n] for n in row)
    }
    shown = dict(
        gold.execute(
            "select transaction_id, transaction_date from gold.fct_sales_transaction where transaction_id = any(%s)",
            [list(changed)],
        ).fetchall()
    )
    assert shown == {number: row["transaction_date"] for number, row in changed.items()}
    assert changed
