"""Raw tables that follow their contract: made again while empty, widened in place, else refused to the author."""

import psycopg
import pytest

from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.ledger import Fates, LoadState
from tests.integration.test_load import FEBRUARY, JANUARY, history, put, raw


@pytest.fixture
def transformer(transformer_url):
    with psycopg.connect(transformer_url, autocommit=True) as connection:
        yield connection


def column_type(warehouse, column="amount", table="things"):
    return warehouse.connection.execute(
        "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass and attname = %s",
        [f"raw.{table}", column],
    ).fetchone()[0]


def readable(connection, relation):
    return connection.execute(
        "select has_table_privilege('raw_reader', %s, 'select')", [relation]
    ).fetchone()[0]


def test_a_first_load_that_fails_for_a_type_comes_in_once_the_contract_is_mended(
    landing, warehouse, load, changed
):
    put(landing, JANUARY, *(f"{number},{number}.50,x" for number in range(1, 13)))
    (failed,) = load(changed(logicalType="integer", physicalType="integer"))
    assert failed.state is LoadState.FAILED
    (loaded,) = load(changed())
    assert loaded.fates == Fates(read=12, inserted=12)
    assert column_type(warehouse) == "numeric(12,2)"
    assert readable(warehouse.connection, "raw.things")


def test_an_empty_table_is_made_again_with_another_key_without_columns_that_left(things, warehouse, changed):
    def edit(document):
        first, _, note = document["schema"][0]["properties"]
        del first["primaryKey"], first["primaryKeyPosition"]
        note.update(primaryKey=True, primaryKeyPosition=1)
        document["schema"][0]["properties"] = [first, note]

    warehouse.prepare(things)
    (told,) = warehouse.prepare(changed(edit))
    assert told == "raw.things has no rows: it is created again as the contract says"
    assert warehouse.prepare(changed(edit)) == ()
    columns = warehouse.connection.execute("select * from raw.things").description
    assert [column.name for column in columns] == ["id", "note", "_drop_id", "_load_id", "_line"]


def test_grants_and_views_of_an_empty_table_come_back(things, warehouse, changed, transformer):
    warehouse.prepare(things)
    warehouse.connection.execute("grant select (id) on raw.things to reporter")
    transformer.execute("create view bronze.stg_things as select id, amount from raw.things")
    transformer.execute("create view gold.few as select id from bronze.stg_things where id < 10")
    warehouse.prepare(changed(logicalType="string", physicalType="text"))
    assert transformer.execute("select pg_typeof(amount) from bronze.stg_things").fetchall() == []
    assert transformer.execute("select * from gold.few").fetchall() == []
    assert warehouse.connection.execute(
        """select has_column_privilege('reporter', 'raw.things', 'id', 'select'),
                  has_table_privilege('reporter', 'raw.things', 'select'),
                  has_table_privilege('reporter', 'gold.few', 'select')"""
    ).fetchone() == (True, False, True)


def test_a_view_that_an_empty_table_no_longer_carries_is_dropped_and_its_text_kept(
    things, warehouse, changed, transformer
):
    warehouse.prepare(things)
    transformer.execute("create view bronze.stg_things as select amount from raw.things")
    transformer.execute("create view gold.sums as select sum(amount) from bronze.stg_things")
    transformer.execute("create view gold.ids as select id from raw.things")
    told = warehouse.prepare(
        changed(lambda document: document["schema"][0]["properties"][1].update(name="price"))
    )
    assert 'bronze.stg_things no longer fits and was dropped: column "amount" does not exist' in told[1]
    assert "gold.sums no longer fits" in told[2]
    assert transformer.execute("select * from gold.ids").fetchall() == []
    kept = warehouse.connection.execute(
        "select dataset, view_schema, view_name, owner, definition from ops.dropped_views order by 2"
    ).fetchall()
    assert kept[0][:4] == ("things", "bronze", "stg_things", "transformer")
    assert "raw.things" in kept[0][4]


def test_a_decimal_with_more_digits_is_widened_without_touching_a_row(landing, warehouse, load, changed):
    put(landing, JANUARY, "1,1,a")
    load(changed())
    before = raw(warehouse, columns="id, xmin::text")
    told = warehouse.prepare(changed(physicalType="numeric(14,2)"))
    assert told == ("raw.things.amount is widened from numeric(12,2) to numeric(14,2): no row is touched",)
    assert raw(warehouse, columns="id, xmin::text") == before
    assert column_type(warehouse) == column_type(warehouse, table="things__history") == "numeric(14,2)"


@pytest.mark.parametrize(
    ("narrow", "wide", "text"),
    [
        ({"physicalType": "numeric(12,2)"}, {"physicalType": "numeric(14,4)"}, "1.0000"),
        (
            {"logicalType": "integer", "physicalType": "integer"},
            {"logicalType": "integer", "physicalType": "bigint"},
            "1",
        ),
        ({"logicalType": "integer", "physicalType": "integer"}, {"physicalType": "numeric(12,2)"}, "1.00"),
    ],
)
def test_what_is_widened_is_what_a_fresh_load_gives(landing, warehouse, load, changed, narrow, wide, text):
    put(landing, JANUARY, "1,1,a", "2,7,b")
    put(landing, FEBRUARY, "2,8,c")
    load(changed(**narrow))
    (told,) = warehouse.prepare(changed(**wide))
    assert told.endswith("the server rewrites the table, rows: 2")
    widened = raw(warehouse), history(warehouse)
    assert widened[0][0] == (1, text, "a")
    load(changed(**wide))
    assert (raw(warehouse), history(warehouse)) == widened
    warehouse.connection.execute("drop table raw.things, raw.things__history")
    warehouse.prepare(changed(**wide))
    load(changed(**wide))
    assert (raw(warehouse), history(warehouse)) == widened


def test_views_on_a_widened_column_come_back_as_they_were(landing, warehouse, load, changed, transformer):
    put(landing, JANUARY, "1,1,a")
    load(changed())
    transformer.execute(
        """create view bronze.stg_things with (security_barrier = true) as select id, amount as price from raw.things;
           comment on view bronze.stg_things is 'staged';
           comment on column bronze.stg_things.price is 'in rupees';
           create view gold.dear as select * from bronze.stg_things where price > 0;
           create materialized view silver.kept as select price from gold.dear;
           create unique index kept_price on silver.kept (price);
           grant select on bronze.stg_things to reporter with grant option;
           revoke select on gold.dear from loader"""
    )
    warehouse.prepare(changed(physicalType="numeric(14,4)"))
    assert transformer.execute("select * from gold.dear").fetchall()[0][0] == 1
    assert transformer.execute("select price::text from silver.kept").fetchall() == [("1.0000",)]
    assert transformer.execute(
        """select c.relowner::regrole::text, c.reloptions, obj_description(c.oid), col_description(c.oid, 2),
                  has_table_privilege('reporter', c.oid, 'select with grant option'),
                  has_table_privilege('loader', 'gold.dear', 'select'),
                  exists (select from pg_indexes where indexname = 'kept_price')
           from pg_class c where c.oid = 'bronze.stg_things'::regclass"""
    ).fetchone() == ("transformer", ["security_barrier=true"], "staged", "in rupees", True, False, True)


def test_a_widening_that_a_view_does_not_bear_is_refused_and_changes_nothing(
    landing, warehouse, load, changed, transformer
):
    narrow = {"logicalType": "integer", "physicalType": "integer"}
    put(landing, JANUARY, "1,1,a")
    load(changed(**narrow))
    transformer.execute(
        """create function silver.twice(n integer) returns integer return n * 2;
           create view bronze.stg_things as select silver.twice(amount) from raw.things"""
    )
    with pytest.raises(
        ContractFault, match=r"bronze.stg_things has to be restored, but no longer fits: function"
    ):
        warehouse.prepare(changed(logicalType="integer", physicalType="bigint"))
    assert column_type(warehouse) == "integer"
    assert transformer.execute("select * from bronze.stg_things").fetchall() == [(2,)]
    assert warehouse.connection.execute("select count(*) from ops.dropped_views").fetchone() == (0,)


def test_a_view_of_a_role_that_the_loader_cannot_act_for_is_the_operators(
    postgres, warehouse_database, landing, warehouse, load, changed
):
    put(landing, JANUARY, "1,1,a")
    load(changed())
    with psycopg.connect(
        postgres.url("postgres", postgres.password, warehouse_database), autocommit=True
    ) as admin:
        admin.execute("create view public.theirs as select amount from raw.things")
    with pytest.raises(OperatorFault, match=r"public.theirs .* belongs to 'postgres'"):
        warehouse.prepare(changed(physicalType="numeric(14,2)"))
    assert column_type(warehouse) == "numeric(12,2)"


def test_another_type_is_refused_as_the_contract_authors_with_both_types_and_the_place(
    things, landing, warehouse, load, changed
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    narrow = changed(logicalType="integer", physicalType="integer")
    with pytest.raises(
        ContractFault,
        match=r"things\.odcs\.yaml:\d+: schema\[0\]\.properties\[1\]: raw\.things\.amount is numeric\(12,2\), "
        r"the contract says integer\n  run `goldworks rebuild things`",
    ):
        load(narrow)
    assert warehouse.fit(narrow).faults
    assert warehouse.fit(changed(physicalType="numeric(14,2)")).changes


def test_a_table_with_history_alone_is_not_empty(things, landing, warehouse, load, changed):
    put(landing, JANUARY, "1,1,a")
    load(things)
    put(landing, JANUARY)
    load(things)
    assert raw(warehouse) == []
    with pytest.raises(ContractFault):
        load(changed(logicalType="integer", physicalType="bigint"))
