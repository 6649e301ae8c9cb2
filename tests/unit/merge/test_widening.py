"""Widening: which changes of type keep every value, and its text, as a fresh load would make them."""

import pytest

from data_ingestion.merge.widening import Widening, widening

IN_PLACE, REWRITTEN, REBUILT = Widening(rewrites=False), Widening(rewrites=True), None


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        ("smallint", "integer", REWRITTEN),
        ("smallint", "bigint", REWRITTEN),
        ("integer", "bigint", REWRITTEN),
        ("bigint", "integer", REBUILT),
        ("integer", "integer", REBUILT),
        ("numeric(12,2)", "numeric(14,2)", IN_PLACE),
        ("numeric(12,2)", "numeric(14,4)", REWRITTEN),
        ("numeric(12,2)", "numeric(13,4)", REBUILT),  # one digit fewer before the point
        ("numeric(12,2)", "numeric(12,4)", REBUILT),
        ("numeric(12,2)", "numeric(14,1)", REBUILT),
        ("numeric(12,2)", "numeric(10,2)", REBUILT),
        ("numeric(12,2)", "numeric(12,2)", REBUILT),
        ("smallint", "numeric(7,2)", REWRITTEN),
        ("smallint", "numeric(6,2)", REBUILT),
        ("integer", "numeric(12,2)", REWRITTEN),
        ("integer", "numeric(11,2)", REBUILT),
        ("bigint", "numeric(19,0)", REWRITTEN),
        ("bigint", "numeric(18,0)", REBUILT),
        ("numeric(5,0)", "integer", REBUILT),
        ("integer", "double precision", REBUILT),  # -0 is 0 to an integer alone
        ("numeric(5,2)", "double precision", REBUILT),
        ("double precision", "numeric(38,10)", REBUILT),
        ("text", "integer", REBUILT),
        ("integer", "text", REBUILT),  # 007
        ("uuid", "text", REBUILT),  # a UUID may be written in upper case
        ("text", "uuid", REBUILT),
        ("date", "timestamp with time zone", REBUILT),  # a form of dates may have dropped the time
        ("timestamp with time zone", "date", REBUILT),
        ("boolean", "text", REBUILT),
        ("boolean", "integer", REBUILT),
    ],
)
def test_a_type_widens_only_where_no_value_and_no_text_changes(held, wanted, expected):
    assert widening(held, wanted) == expected


@pytest.mark.parametrize(
    ("held", "wanted", "expected"),
    [
        ("integer", "bigint", REWRITTEN),
        ("numeric(12,2)", "numeric(14,2)", IN_PLACE),
        ("numeric(12,2)", "numeric(14,4)", REBUILT),
        ("integer", "numeric(12,2)", REBUILT),
    ],
)
def test_a_column_that_a_key_is_a_hash_of_widens_only_where_the_hash_stays(held, wanted, expected):
    assert widening(held, wanted, is_hashed=True) == expected
