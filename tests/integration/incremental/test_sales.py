"""Sales and their restatements, built step by step."""

from decimal import Decimal

from tests.integration.dbt_sales import Restatements, Sales
from tests.integration.incremental.two_ways import differences

SALES, RESTATEMENTS = Sales(), Restatements()
FEEDS = (SALES, RESTATEMENTS)
DOMAINS = ("sales",)


def test_a_restatement_wins_where_it_has_a_value_and_its_withdrawal_gives_the_sale_back(
    world, build_both, transformer, relations
):
    def sale():
        return transformer.execute(
            """select transaction_date::text, quantity, revenue, is_restated from gold.fct_sales_transaction
               where transaction_id = 7001"""
        ).fetchall()

    sold = {
        "transaction_id": "T7001",
        "transaction_date": "05-03-2024",
        "quantity": "2.0",
        "price": "Fifteen",
    }
    world.deliver(SALES.keys[0], SALES.drop(sold))
    world.deliver(
        RESTATEMENTS.keys[0], RESTATEMENTS.drop({"transaction_id": "7001", "transaction_date": "2024-04-06"})
    )
    world.load()
    build_both()
    assert sale() == [("2024-04-06", 2, Decimal(30), True)]
    world.deliver(RESTATEMENTS.keys[0], RESTATEMENTS.drop({"transaction_id": "7002"}))
    world.load()
    build_both()
    assert sale() == [("2024-03-05", 2, Decimal(30), False)]
    world.deliver(SALES.keys[0], SALES.drop({**sold, "quantity": ""}))
    world.load()
    build_both()
    assert sale() == [("2024-03-05", None, None, False)]
    assert differences(transformer, relations) == {}


def test_of_two_restatements_of_a_sale_the_later_stands_alone(world, build_both, transformer, relations):
    world.deliver(
        SALES.keys[0],
        SALES.drop({"transaction_id": 7003, "transaction_date": "2024-03-05", "quantity": 1, "price": 5}),
    )
    for key, restated in zip(
        RESTATEMENTS.keys, ({"transaction_date": "2024-04-06"}, {"quantity": 2}), strict=False
    ):
        world.deliver(key, RESTATEMENTS.drop({"transaction_id": 7003, **restated}))
    world.load()
    build_both()
    assert transformer.execute(
        "select transaction_date::text, quantity from gold.fct_sales_transaction where transaction_id = 7003"
    ).fetchall() == [("2024-03-05", 2)]
    assert differences(transformer, relations) == {}


def test_each_sale_carries_the_time_of_the_load_that_touched_it_last(
    world, build_both, transformer, relations
):
    world.deliver(SALES.keys[0], SALES.drop({"transaction_id": "7001"}, {"transaction_id": "7002"}))
    world.load()
    world.deliver(RESTATEMENTS.keys[0], RESTATEMENTS.drop({"transaction_id": "7001", "quantity": "1"}))
    world.load()
    build_both()
    ended = world.warehouse.connection.execute(
        "select ended_at from ops.loads where load_id in (%s, %s) order by load_id",
        [world.newest_load(SALES), world.newest_load(RESTATEMENTS)],
    ).fetchall()
    first, second = (moment for (moment,) in ended)
    loaded = dict(
        transformer.execute("select transaction_id, loaded_at from gold.fct_sales_transaction").fetchall()
    )
    assert (loaded[7001], loaded[7002]) == (second, first)
    assert differences(transformer, relations) == {}


def test_a_member_of_a_dimension_that_did_not_change_is_not_written_again(
    world, build_both, transformer, relations
):
    def written():
        return dict(
            transformer.execute("select product_name, xmin::text from gold.dim_sales_product").fetchall()
        )

    def sale(number, product, day):
        return {
            "transaction_id": number, "product_id": product, "product_name": f"P {product}", "transaction_date": day,
        }  # fmt: skip

    for key in (*SALES.keys, *RESTATEMENTS.keys):
        world.deliver(key, SALES.drop() if key in SALES.keys else RESTATEMENTS.drop())
    world.deliver(SALES.keys[0], SALES.drop(sale(1, 70, "2024-01-01"), sale(2, 71, "2024-01-01")))
    world.load()
    build_both()
    before = written()
    world.deliver(SALES.keys[0], SALES.drop(sale(1, 70, "2024-01-01"), sale(2, 72, "2024-01-01")))
    world.load()
    build_both()
    after = written()
    assert (before.keys() ^ after.keys(), before["P 70"]) == ({"P 71", "P 72"}, after["P 70"])
    assert differences(transformer, relations) == {}
