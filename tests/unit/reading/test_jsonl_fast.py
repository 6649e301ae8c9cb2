"""Fast JSON Lines: taken faster, and never otherwise than by the rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_ingestion.reading.json_records import BadJson, Records
from data_ingestion.reading.jsonl_fast import MOST_SHAPES, may_be_plain

COLUMNS = [["id"], ["data.lat", "lat"], ["data"], ["flag"], ["at.on"]]
RECORDS = Records(COLUMNS, ["note"])
PIECES = [
    '{', '}', '[', ']', ',', ':', '"', '":', '" :', ' ', '\\', '\\u0041', '\\"', '1', '-1.50', '1e9', 'null',
    'true', 'NaN', 'é', '\t', '"id"', '"id":', '"lat":', '"data":', '"at":', '"on":', '"flag":', '"note":', '":a"',
    '{"lat":2}', '{"on":"x"}', '"id":1', '"id": "a"', '"at":{"on":null}', '"other":1',
]  # fmt: skip
MEMBERS = st.lists(
    st.sampled_from(
        ['"id":1', '"id":":"', '"id" :2', '"lat":null', '"lat":1.0', '"flag":true', '"at":{"on":"x"}',
         '"at":{"on":1,"on":2}', '"at":null', '"at":3', '"data":{"lat":1}', '"note":[1]', '"note":"n"', '"x":0']
    )
).map(lambda members: "{" + ",".join(members) + "}")  # fmt: skip


def by_the_rules(line: str) -> list[str | None] | str:
    try:
        return RECORDS.cells(line)
    except BadJson as bad:
        return bad.reason


@given(MEMBERS | st.lists(st.sampled_from(PIECES)).map("".join))
@example('{"id":":a","id":1}')
@example('{"id":1,"id" :2}')
@example('{"at":{"on":1},"at":{"on":1}}')
@settings(max_examples=1000)
def test_law_what_is_taken_as_plain_is_what_the_rules_make_of_it(line: str):
    if may_be_plain(line.encode()) and (cells := RECORDS.plain.cells(line)) is not None:
        assert cells == by_the_rules(line)


# Of few shapes, so that many are of one that was learnt from a line before.
VALUES = st.sampled_from(
    ["1", "-1.50", "1e9", "01", "1.", "-", "null", "true", "false", "NaN", '"x"', '""', '":"', '"a\\n"', '"\t"', '"é"',
     '"x","id":2', '"\u2028"', '"x"}', "[1]", '"2', "١"]
)  # fmt: skip
SHAPED = st.builds(
    lambda shape, values: shape.format(*values),
    st.sampled_from(
        ['{{"id":{},"at":{{"on":{}}},"flag":{}}}', '{{"flag": {}, "lat": {}}}', ' {{"id":{}}}', '{{"id":{}}} ', "{}"]
    ),
    st.tuples(VALUES, VALUES, VALUES),
)  # fmt: skip


@given(st.lists(SHAPED, min_size=1, max_size=12))
@example(['{"id":1}', '{"id":2}', "", '{"id":3}'])
@example(['{"id":1,"flag":true}', '{"id":2,"flag":false}'])
@settings(max_examples=1000)
def test_law_records_of_one_shape_are_what_the_rules_make_of_each(lines: list[str]):
    plain = Records(COLUMNS, ["note"]).plain
    for line in lines:
        if may_be_plain(line.encode()) and (cells := plain.cells(line)) is not None:
            assert cells == by_the_rules(line)
    if (columns := plain.columns("\n".join(lines) + "\n", len(lines))) is not None:
        assert [list(row) for row in zip(*columns, strict=True)] == [by_the_rules(line) for line in lines]


def test_a_block_of_one_shape_is_taken_at_once():
    plain = Records(COLUMNS, ["note"]).plain
    lines = [f'{{"id": {number}, "flag": "é{number}", "at": null}}' for number in range(3)]
    assert plain.columns("\n".join(lines), 3) is None  # nothing is known yet
    assert plain.cells(lines[0]) == ["0", None, None, "é0", None]
    columns = plain.columns("\n".join(lines), 3)
    assert columns is not None
    assert list(map(list, columns)) == [
        ["0", "1", "2"],
        [None] * 3,
        [None] * 3,
        ["é0", "é1", "é2"],
        [None] * 3,
    ]
    assert plain.columns("\n".join([*lines, '{"id":3}']), 4) is None
    assert plain.columns("\r\n".join(lines), 3) is None


def test_no_more_shapes_are_learnt_than_a_source_has_kinds_of_records():
    plain = Records([[f"k{number}"] for number in range(20)], []).plain
    rows = [plain.cells(f'{{"k{number}":1}}') for number in range(20)]
    assert rows == [["1" if column == number else None for column in range(20)] for number in range(20)]
    assert [plain.columns(f'{{"k{number}":1}}', 1) is not None for number in range(20)].count(
        True
    ) == MOST_SHAPES


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('{"id":1,"lat":-1.50}', ["1", "-1.50", None, None, None]),
        ('{"id": "é", "flag": true}', ["é", None, None, "true", None]),
        ('{"at":{"on":"x"},"id":null}', [None, None, None, None, "x"]),
        ("{}", [None] * 5),
    ],
)
def test_an_ordinary_record_is_plain(line: str, cells: list[str | None]):
    assert RECORDS.plain.cells(line) == cells == by_the_rules(line)


@pytest.mark.parametrize(
    "line",
    ['{"id":1,"id":2}', '{"id":"\\u0041"}', '{"id":[1]}', '{"x":1}', '{"id":NaN}', '{"id":1}}', '[1]', '{"id"',
     '{"data":{"lat":1}}', '{"note":1}', '{"lat":1,"lat":1}'],
)  # fmt: skip
def test_anything_else_is_left_to_the_rules(line: str):
    assert RECORDS.plain.cells(line) is None
