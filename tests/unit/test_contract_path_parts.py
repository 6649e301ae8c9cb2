"""Path parts: what a pattern names, what a column may take of it, and what keeps one from being right."""

import re

import pytest
import yaml

from data_ingestion.contract import ContractError, read_contract
from data_ingestion.contract.pattern import Pattern, Reach, faults_of


@pytest.mark.parametrize(
    ("text", "key", "parts", "period"),
    [
        ("s/store={store}/*.csv", "s/store=rome/a.csv", {"store": "rome"}, ""),
        ("s/{store}_{YYYY}-{MM}.csv", "s/rome_2026-03.csv.gz", {"store": "rome"}, "2026-03"),
        ("s/{store}_{till}.csv", "s/a_b_c.csv", {"store": "a", "till": "b_c"}, ""),
        ("s/{store}/{store}.csv", "s/rome/rome.csv", {"store": "rome"}, ""),
        ("{YYYY}/{store}/{YYYY}-{MM}.csv", "2026/rome/2026-03.csv", {"store": "rome"}, "2026-03"),
    ],
)
def test_a_part_is_the_text_that_stands_in_its_place(text, key, parts, period):
    match = Pattern(text).match(key)
    assert match is not None
    assert (dict(match.parts), match.period) == (parts, period)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("s/store={store}/*.csv", "s/store=/a.csv"),
        ("s/{store}/{store}.csv", "s/rome/oslo.csv"),
        ("s/{store}.csv", "s/rome/a.csv"),
        ("s/{store}-{YYYY}-{MM}.csv", "s/rome-2026-13.csv"),
    ],
)
def test_what_has_no_text_there_does_not_match(text, key):
    assert Pattern(text).match(key) is None


def test_folders_are_listed_by_their_dates_whatever_parts_stand_among_them():
    pattern = Pattern("s/store={store}/{YYYY}/{MM}/*.csv")
    since = "2026-03-01T00:00:00"
    assert pattern.reach("s/store=rome/", since) is Reach.SOME
    assert pattern.reach("s/store=rome/2025/", since) is Reach.OLD
    assert pattern.reach("s/store=rome/2026/", since) is Reach.SOME
    assert pattern.reach("s/other/", since) is Reach.NONE
    assert Pattern("s/{YYYY}/{store}/*.csv").reach("s/2026/", since) is Reach.ALL


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("s/{store}{till}.csv", "'{store}' and '{till}' touch"),
        ("s/{store}*.csv", "'{store}' and '*' touch"),
        ("s/{store}{YYYY}.csv", "'{store}' and '{YYYY}' touch"),
        ("s/{name}.csv", "'{name}' is what every path has"),
        ("s/{Store}.csv", "'{Store}' is not a date part"),
    ],
)
def test_a_pattern_of_which_nothing_says_what_a_part_is_has_a_fault(text, fault):
    assert fault in " ".join(found for found, _ in faults_of(text))


def read(folder, path: str, column: dict[str, object], others: tuple[str, ...] = ()):
    file = folder / "t.odcs.yaml"
    servers = [{"server": f"s{number}", "type": "custom", "path": text, "format": "csv"}
               for number, text in enumerate((path, *others))]  # fmt: skip
    file.write_text(
        yaml.safe_dump({
            "apiVersion": "v3.1.0", "kind": "DataContract", "id": "t", "version": "1.0.0", "domain": "d",
            "servers": servers,
            "schema": [{"name": "t", "properties": [
                {"name": "id", "logicalType": "string", "required": True, "primaryKey": True},
                {"name": "store", "logicalType": "string", **column},
            ]}],
        })
    )  # fmt: skip
    return read_contract(file)


def taken(part: str, **settings: object) -> dict[str, object]:
    listed = [{"property": name, "value": value} for name, value in {"fromPath": part, **settings}.items()]
    return {"customProperties": listed}


@pytest.mark.parametrize(
    ("path", "column", "others", "fault"),
    [
        ("s/*.csv", taken("store"), (), "'s/*.csv' has no part 'store'\n  write '{store}'"),
        ("s/{store}/*.csv", taken("store"), ("u/*.csv",), "'u/*.csv' has no part 'store'"),
        ("s/{stroe}/*.csv", taken("store"), (), "did you mean 'stroe'"),
        ("s/{store}/*.csv", {}, (), "'{store}' is not a date part, and no column has 'fromPath: store'"),
        ("s/*.csv", taken("period"), (), "'s/*.csv' has no period"),
        ("s/{store}.csv", taken("store", headers=["x"]), (), "'headers' is about a column of the file"),
        ("s/{store}.csv", taken("store", fillDown=True), (), "'fillDown' is about a column of the file"),
        ("s/{store}.csv", {**taken("store"), "physicalName": "x"}, (), "the column has a header"),
        (
            "s/{YYYY}.csv",
            {**taken("period", formats=["%Y-%m-%d"]), "logicalType": "date"},
            (),
            "a period is written in one way",
        ),
    ],
)
def test_a_column_that_the_path_can_not_give_is_a_fault_of_the_contract(
    tmp_path, path, column, others, fault
):
    with pytest.raises(ContractError, match=re.escape(fault)):
        read(tmp_path, path, column, others)


def test_what_a_path_says_is_part_of_what_a_drop_is_known_by_and_equal_bytes_differ_by_it(tmp_path):
    contract = read(tmp_path, "s/{store}/*.csv", taken("store"))
    rome, again, oslo = (
        contract.identity_of(key, b"x" * 32) for key in ("s/rome/a.csv", "s/rome/b.csv", "s/oslo/a.csv")
    )
    assert rome == again != oslo
    assert rome[:32] == b"x" * 32
    assert read(tmp_path, "s/*.csv", {}).identity_of("s/a.csv", b"x" * 32) == b"x" * 32


def test_the_path_decides_rows_only_where_columns_come_from_it(tmp_path):
    def fingerprint(path: str, column: dict[str, object]) -> str:
        return read(tmp_path, path, column).fingerprint

    assert fingerprint("s/*.csv", {}) == fingerprint("u/*.csv", {})
    assert fingerprint("s/{store}.csv", taken("store")) != fingerprint("s/x{store}.csv", taken("store"))
    assert fingerprint("s/*.csv", {}) != fingerprint("s/*.csv", taken("stem"))
