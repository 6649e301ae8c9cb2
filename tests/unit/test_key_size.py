"""Key size: what the other columns of a key leave for its texts."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

from data_ingestion.checks.key_size import MOST_KEY_BYTES, most_text_bytes, too_long


def contract(*types):
    columns = [
        SimpleNamespace(name=f"c{n}", physical_type=kind, precision=None, scale=None)
        if isinstance(kind, str)
        else SimpleNamespace(name=f"c{n}", physical_type="numeric", precision=kind[0], scale=kind[1])
        for n, kind in enumerate(types)
    ]
    key = SimpleNamespace(columns=tuple(column.name for column in columns))
    return SimpleNamespace(columns=columns, key=key)


@pytest.mark.parametrize(
    ("types", "most"),
    [
        (["text"], MOST_KEY_BYTES),
        (["text", *["bigint"] * 12], MOST_KEY_BYTES),
        (["text", *["bigint"] * 13], 2_696 - 7 - 13 * 15),
        (["text", *[(38, 2)] * 31], 2_696 - 7 - 31 * 23),
        (["text", "text", *["uuid"] * 30], 2_696 - 2 * 7 - 30 * 16),
    ],
)
def test_what_is_left_for_the_texts_of_a_key(types, most):
    assert most_text_bytes(contract(*types)) == most


def test_rows_are_too_long_by_all_their_texts_together():
    texts = [pa.array(["abc", "é", None, "abcd"]), pa.array(["d", "d", "abcde", "é"])]
    assert too_long(texts, 5) == {3: 6}
    assert too_long(texts, 6) == {}
    assert too_long([pa.chunked_array([text]) for text in texts], 4) == {2: 5, 3: 6}
