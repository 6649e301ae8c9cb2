"""Plain JSON: taken faster, and never otherwise than by the rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_ingestion.reading.jsonl import _Bad, _Records
from data_ingestion.reading.plain_json import may_be_plain

RECORDS = _Records([["id"], ["data.lat", "lat"], ["data"], ["flag"], ["at.on"]], ["note"])
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
    except _Bad as bad:
        return bad.reason


@given(MEMBERS | st.lists(st.sampled_from(PIECES)).map("".join))
@example('{"id":":a","id":1}')
@example('{"id":1,"id" :2}')
@example('{"at":{"on":1},"at":{"on":1}}')
@settings(max_examples=1000)
def test_law_what_is_taken_as_plain_is_what_the_rules_make_of_it(line: str):
    if may_be_plain(line.encode()) and (cells := RECORDS.plain.cells(line)) is not None:
        assert cells == by_the_rules(line)


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
