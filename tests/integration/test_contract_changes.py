"""Contracts that change: what is in raw already follows them, or the load says why it can't."""

import pytest

from data_ingestion.contract import read_contract
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.ledger import Fates, Kind, LoadState
from data_ingestion.plan import Choice
from tests.integration.conftest import write_things
from tests.integration.test_load import FEBRUARY, JANUARY, history, put, raw


@pytest.fixture
def undated(changed):
    """The contract of `things` before its pattern had dates."""
    return changed(lambda document: document["servers"][0].update(path="things/*/*.csv"))


def test_a_column_that_is_no_longer_required_takes_nulls(things, landing, warehouse, load, changed):
    put(landing, JANUARY, "1,1,a")
    load(things)
    relaxed = changed(lambda document: document["schema"][0]["properties"][2].update(required=False))
    put(landing, FEBRUARY, "2,2,", "1,1,")
    assert load(relaxed)[-1].fates == Fates(read=2, inserted=1, updated=1)
    assert raw(warehouse) == [(1, "1.00", None), (2, "2.00", None)]
    put(landing, FEBRUARY, "2,2,")
    load(relaxed)
    assert (1, "1.00", "withdrawn") in history(warehouse)


def test_a_pattern_that_gains_dates_ranks_what_is_loaded_anew(things, landing, warehouse, load, undated):
    put(landing, FEBRUARY, "1,9,february", at=1_000)
    load(undated)
    put(landing, JANUARY, "1,1,january", at=2_000)
    reports = load(things)
    assert [(report.kind, report.state) for report in reports] == [
        (Kind.NEW, LoadState.LOADED),
        (Kind.REPLAY, LoadState.LOADED),
    ]
    assert raw(warehouse) == [(1, "9.00", "february")]
    assert load(things) == []


@pytest.mark.parametrize("rows", [("1,9,february", "2,2,x"), ("1,9,february",)])
def test_a_correction_under_a_pattern_that_lost_its_dates_yields_to_the_newer_delivery(
    things, landing, warehouse, load, undated, rows
):
    put(landing, FEBRUARY, "1,9,february", at=1_000)
    put(landing, JANUARY, "1,1,january", at=2_000)
    load(things)
    put(landing, FEBRUARY, *rows, at=1_500)
    load(undated)
    assert raw(warehouse)[0] == (1, "1.00", "january")


SEMICOLONS, COMMAS = {"delimiter": ";"}, {}


@pytest.fixture
def of_two_servers(changed):
    """The contract of `things` with two servers: the path and the format of each."""

    def read(*servers):
        return changed(
            lambda document: document.update(
                servers=[
                    {"server": f"s{number}", "type": "custom", "format": "csv", "path": path, **form}
                    for number, (path, form) in enumerate(servers)
                ]
            )
        )

    return read


def test_an_object_that_comes_under_another_servers_format_is_read_again_and_no_other_is(
    landing, warehouse, load, of_two_servers
):
    """Its delimiter was wrong as long as the first server's path matched it."""
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1,a\n")
    landing.write("things/2026-01/b.txt", b"id,amount,note\n2,2,b;c\n")
    load(of_two_servers(("things/{YYYY}-{MM}/*", COMMAS), ("things/{YYYY}-{MM}/*.txt", SEMICOLONS)))
    assert [row[2] for row in raw(warehouse)] == ["a", "b;c"]
    after = of_two_servers(("things/{YYYY}-{MM}/*.csv", COMMAS), ("things/{YYYY}-{MM}/*.txt", SEMICOLONS))
    reports = load(after)
    assert [(report.object_key[-5:], report.kind, report.state) for report in reports] == [
        ("b.txt", "replay", "failed")  # it has no semicolon in its header
    ]


def test_a_path_that_leaves_every_object_its_format_has_nothing_read_again(landing, load, of_two_servers):
    before = of_two_servers(("things/{YYYY}-{MM}/*.csv", COMMAS), ("things/{YYYY}-{MM}/*.txt", SEMICOLONS))
    landing.write("things/2026-01/a.csv", b"id,amount,note\n1,1,a\n")
    landing.write("things/2026-01/b.txt", b"id;amount;note\n2;2;b\n")
    assert len(load(before)) == 2
    after = of_two_servers(("things/{YYYY}-{MM}/**/*.csv", COMMAS), ("things/{YYYY}-{MM}/b*.txt", SEMICOLONS))
    assert load(after) == []


def test_equal_bytes_in_two_formats_come_to_rest(landing, warehouse, load, of_two_servers):
    """The drop is read as the object with the higher rank says, not by turns."""
    both = of_two_servers(
        ("things/{YYYY}-{MM}/*.csv", COMMAS), ("things/{YYYY}-{MM}/*.txt", {"encoding": "latin-1"})
    )
    content = "id,amount,note\n1,1,ü\n".encode()
    landing.write("things/2026-01/a.csv", content)
    load(both)
    landing.write("things/2026-02/a.txt", content)
    load(both)
    assert [(report.object_key[-5:], report.kind) for report in load(both)] == [("a.txt", "replay")]
    assert raw(warehouse) == [(1, "1.00", "Ã¼")]
    assert load(both) == []


def test_an_object_that_another_dataset_holds_fails_and_says_where_its_rows_are(
    things, landing, warehouse, load, tmp_path
):
    put(landing, JANUARY, "1,1,a")
    load(things)
    path = write_things(tmp_path)
    path.write_text(path.read_text().replace("name: things", "name: parts"))
    (report,) = load(read_contract(path))
    assert report.state is LoadState.FAILED
    assert "its rows are in raw.things, but the path of 'parts' matches it now\n  remove them" in report.error


@pytest.mark.parametrize("name", ["s", "f", "r", "user"])
def test_a_column_may_be_called_like_anything_in_our_statements(landing, load, changed, name):
    contract = changed(lambda document: None, note=name)
    put(landing, JANUARY, "1,1,a", "1,2,b")
    (first,) = load(contract)
    put(landing, FEBRUARY, "1,1,a")
    (second,) = load(contract)
    assert first.fates == Fates(read=2, repeated=1, inserted=1)
    assert second.fates == Fates(read=1, updated=1)


def test_a_key_may_have_more_columns_than_a_function_of_postgres_has_arguments(landing, load, changed):
    names = [f"c{number}" for number in range(250)]

    def widen(document):
        schema = document["schema"][0]
        schema["properties"] = [
            {"name": name, "physicalName": name, "logicalType": "string"} for name in names
        ]
        schema["customProperties"].append(
            {"property": "key", "value": {"rule": "occurrence", "columns": names}}
        )

    row = ",".join("x" * len(names))
    landing.write(JANUARY, "\n".join([",".join(names), row, row, row[:-1] + "y", ""]).encode())
    assert load(changed(widen))[0].fates == Fates(read=3, inserted=3)


def test_an_occurrence_key_of_other_columns_is_refused_until_the_table_is_made_anew(
    things, landing, warehouse, load, changed
):
    def keyed_by(*names):
        def edit(document):
            schema = document["schema"][0]
            for name in ("primaryKey", "primaryKeyPosition"):
                del schema["properties"][0][name]
            key = {"rule": "occurrence", "columns": list(names)}
            schema["customProperties"].append({"property": "key", "value": key})

        return changed(edit)

    put(landing, JANUARY, "1,1,a")
    put(landing, FEBRUARY, "1,1,a", "2,2,b")
    load(keyed_by("id", "amount"))
    assert load(keyed_by("id", "amount")) == []
    wider = keyed_by("id", "amount", "note")
    with pytest.raises(ContractFault, match=r"is a hash of id, amount and .* a hash of id, amount, note and"):
        load(wider)
    warehouse.connection.execute("drop table raw.things, raw.things__history")
    load(wider, Choice(full_refresh=True))
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "2.00", "b")]


def test_a_key_in_another_order_is_the_same_key_and_nothing_is_read_again(landing, warehouse, load, changed):
    def keyed_by(*names):
        def edit(document):
            for column in document["schema"][0]["properties"][:2]:
                column.update(
                    required=True, primaryKey=True, primaryKeyPosition=1 + names.index(column["name"])
                )

        return changed(edit)

    put(landing, JANUARY, "1,1,a", "1,2,b")
    load(keyed_by("id", "amount"))
    assert load(keyed_by("amount", "id")) == []
    put(landing, FEBRUARY, "1,2,c", "2,2,d")
    (report,) = load(keyed_by("amount", "id"))
    assert report.fates == Fates(read=2, inserted=1, updated=1)


def test_tables_that_were_dropped_are_made_anew_and_filled_with_all_that_was_in_force(
    things, landing, warehouse, load
):
    put(landing, JANUARY, "1,1,a", "2,2,b")
    load(things)
    warehouse.connection.execute("drop table raw.things, raw.things__history")
    put(landing, FEBRUARY, "2,3,c")
    load(things)
    (replayed,) = load(things)
    assert (replayed.kind, replayed.fates) == (Kind.REPLAY, Fates(read=2, superseded=1, inserted=1))
    assert raw(warehouse) == [(1, "1.00", "a"), (2, "3.00", "c")]
    assert load(things) == []


def test_a_history_without_its_raw_table_is_the_operators(things, landing, warehouse, load):
    put(landing, JANUARY, "1,1,a")
    load(things)
    warehouse.connection.execute("drop table raw.things")
    put(landing, FEBRUARY, "2,3,c")
    with pytest.raises(OperatorFault, match=r"things__history.* exists, but its raw table does not"):
        load(things)
