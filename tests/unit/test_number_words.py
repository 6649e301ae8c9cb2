"""Number words: whatever way a number is spelled it is that number, and what spells none is refused with the word."""

import time
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data_ingestion.checks.cells import check_cells
from data_ingestion.checks.number_words import Unclear, parse_number_words
from data_ingestion.contract import Column, LogicalType

PRICE = Column(
    "price",
    ("price",),
    LogicalType.NUMBER,
    "numeric(18,2)",
    precision=18,
    scale=2,
    cleaning=("number_words",),
)
COUNT = Column("count", ("count",), LogicalType.INTEGER, "bigint", cleaning=("number_words",))
LESS_THAN_TWENTY = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
GREATEST = 999_999_999_999


def spelled(number, choose, first=True):
    """A spelling of a whole number, made by division; `choose` picks among what writers of English do."""
    if number < 20:
        return LESS_THAN_TWENTY[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return TENS[tens - 2] + (choose(["-", " ", "  "]) + LESS_THAN_TWENTY[ones] if ones else "")
    if first and 1100 <= number < 10_000 and number // 100 % 10 and choose([False, True]):
        return counted(number, 100, "hundred", choose)
    for unit, word in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if number >= unit:
            return counted(number, unit, word, choose)
    raise AssertionError(number)


def counted(number, unit, word, choose):
    count, rest = divmod(number, unit)
    one = "a" if count == 1 and choose([False, True]) else None
    text = f"{one or spelled(count, choose)}{choose([' ', '-'])}{word}"
    if not rest:
        return text
    after = spelled(rest, choose, first=False)  # no `twelve hundred` behind thousands
    if after[:2] in ("a ", "a-"):  # `a` is for the first number of all
        after = "one" + after[1:]
    between = [" ", " and ", "-and-", "-", "\t"] + ([", ", ", and ", ",  "] if unit > 100 else [])
    return text + choose(between) + after


def variant(number, data):
    def choose(among):
        return data.draw(st.sampled_from(among))

    text = spelled(number, choose)
    return choose([str.lower, str.upper, str.title, str.capitalize, str.swapcase])(text)


def checked(column, *cells):
    result = check_cells(pa.array(cells, pa.string()), column)
    return result.values.to_pylist(), result.refused


@given(st.integers(0, GREATEST) | st.integers(0, 10_000), st.data())
def test_every_spelling_of_a_number_is_that_number(number, data):
    text = variant(number, data)
    assert parse_number_words(text) == str(number), text


@given(st.integers(0, 10**6), st.from_regex("[0-9]{1,9}", fullmatch=True), st.booleans(), st.data())
def test_behind_the_point_each_word_is_a_digit(number, decimals, is_negative, data):
    digits = " ".join(LESS_THAN_TWENTY[int(digit)] for digit in decimals)
    text = f"{'Minus ' if is_negative else ''}{variant(number, data)} point {digits}"
    assert parse_number_words(text) == f"{'-' if is_negative else ''}{number}.{decimals}"


def test_the_plain_spelling_of_small_and_round_numbers():
    for number in (*range(2_000), 10_000, 12_345, 100_100, 1_000_001, GREATEST):
        assert parse_number_words(spelled(number, lambda among: among[0])) == str(number)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("two two", "'two' can't follow 'two'"),
        ("hundred two hundred", "it can't start with 'hundred'"),
        ("hundred", "it can't start with 'hundred'"),
        ("two hundred three hundred", "'hundred' can't follow 'three' here"),
        ("two hundred hundred", "'hundred' can't follow 'hundred'"),
        ("twenty hundred", "'hundred' can't follow 'twenty'"),
        ("one thousand twelve hundred", "'hundred' can't follow 'twelve' here"),
        ("twelve hundred thousand", "'thousand' can't come here"),
        ("one thousand two million", "'million' can't come here"),
        ("two thousand three thousand", "'thousand' can't come here"),
        ("thousand thousand", "it can't start with 'thousand'"),
        ("twenty eleven", "'eleven' can't follow 'twenty'"),
        ("nineteen eighty-four", "'eighty' can't follow 'nineteen'"),
        ("five and twenty", "'and' can't follow 'five'"),
        ("twenty and five", "'and' can't follow 'twenty'"),
        ("two hundred and", "something is missing after 'and'"),
        ("two hundred and and five", "'and' can't follow 'and'"),
        ("and five", "it can't start with 'and'"),
        ("zero five", "'five' can't follow 'zero'"),
        ("twenty zero", "'zero' can't follow 'twenty'"),
        ("zero hundred", "'hundred' can't follow 'zero'"),
        ("one point", "something is missing after 'point'"),
        ("one point twenty", "'twenty' can't follow 'point'"),
        ("one point two hundred", "'hundred' can't follow 'two'"),
        ("point five", "it can't start with 'point'"),
        ("minus", "something is missing after 'minus'"),
        ("minus minus one", "'minus' can't follow 'minus'"),
        ("a", "something is missing after 'a'"),
        ("a five", "'five' can't follow 'a'"),
        ("two thousand a hundred", "'a' can't follow 'thousand'"),
        ("two hundred, five", "a comma can't follow 'hundred'"),
        ("fourty", "'fourty' is not a number word"),
        ("twentyone", "'twentyone' is not a number word"),
        ("two hundred dollars", "'dollars' is not a number word"),
        ("one trillion", "'trillion' is not a number word"),
        ("two hundred 50", "not made of words alone"),
        ("twenty--one", "not made of words alone"),
        ("two hundred-", "not made of words alone"),
        ("fifteen.", "not made of words alone"),
        ("one , two", "not made of words alone"),
    ],
)
def test_what_spells_no_number_is_refused_with_the_word_that_is_in_the_way(text, why):
    found = parse_number_words(text)
    assert isinstance(found, Unclear)
    assert why in found.why
    _, refused = checked(PRICE, "1.50", text)
    assert set(refused) == {1}
    reason, detail = refused[1]
    assert (reason, why in detail, repr(text) in detail) == ("not_number_words", True, True)


@pytest.mark.parametrize("text", ["2 hundred", "-five", "1e3", "$5", "٣", "£two"])
def test_what_does_not_begin_with_a_letter_is_judged_as_digits(text):
    assert checked(PRICE, text)[1][0][0] == "not_a_number"


def test_words_stand_beside_numbers_blanks_and_nothing():
    values, refused = checked(PRICE, "112.25", " Fifteen ", "", None, "TWO HUNDRED AND fifty", "zero", "-3")
    assert values == [
        Decimal("112.25"),
        Decimal(15),
        None,
        None,
        Decimal(250),
        Decimal(0),
        Decimal(-3),
    ]
    assert refused == {}


def test_a_number_in_words_keeps_to_the_limits_of_its_column():
    assert checked(COUNT, "one point five")[1][0][0] == "not_an_integer"
    assert checked(PRICE, "one point zero zero five")[1][0][0] == "too_precise"
    narrow = Column("n", ("n",), LogicalType.INTEGER, "smallint", minimum=1, cleaning=("number_words",))
    assert checked(narrow, "forty thousand")[1][0][0] == "out_of_range"
    assert checked(narrow, "zero")[1][0][0] == "out_of_bounds"


CELLS = st.none() | st.sampled_from(["5", "Two Hundred", "fifteen", "two two", "x", "", "7.5", "minus one"])


@given(st.lists(CELLS, max_size=12), st.integers(0, 3))
@example(["two two", "5"], 1)
def test_a_cell_is_the_same_whatever_stands_beside_it_and_however_the_column_is_cut(cells, start):
    alone = [check_cells(pa.array([cell], pa.string()), PRICE) for cell in cells[start:]]
    values = [one.values.to_pylist()[0] for one in alone]
    refused = {row: one.refused[0] for row, one in enumerate(alone) if one.refused}
    whole = pa.array(cells, pa.string())
    for column in (whole.slice(start), pa.chunked_array([whole.slice(start, 2), whole.slice(start)[2:]])):
        together = check_cells(column, PRICE)
        assert together.refused == refused
        kept = together.without_refused(together.values).to_pylist()
        assert kept == [None if row in refused else value for row, value in enumerate(values)]


@given(
    st.text(max_size=20)
    | st.lists(st.sampled_from(["and", "two", "a", "ten", "hundred", "point"])).map(" ".join)
)
def test_any_text_is_a_number_or_unclear(text):
    found = parse_number_words(text)
    assert isinstance(found, Unclear) or Decimal(found).is_finite()


def test_a_long_column_of_few_distinct_words_is_read_in_no_time():
    cells = pa.array(["Two Hundred", "fifteen", "19.99", None, "one million and one"] * 100_000, pa.string())
    began = time.perf_counter()
    check_cells(cells, PRICE)
    assert time.perf_counter() - began < 3


def prefixed(letter):
    return Column("id", ("id",), LogicalType.INTEGER, "bigint", cleaning=(f"strip_letter_prefix:{letter}",))


@pytest.mark.parametrize(
    ("letter", "text", "number"),
    [("T", "T7001", 7001), ("T", "7001", 7001), ("T", "t7", 7), ("P", "P0100", 100), ("p", " P40 ", 40)],
)
def test_the_letter_that_the_contract_names_is_no_part_of_a_number(letter, text, number):
    assert checked(prefixed(letter), text) == ([number], {})


@pytest.mark.parametrize("text", ["R10", "P10", "TT10", "T-10", "T", "10T", "T 10", "T10.0", "É10"])
def test_no_other_letters_are_taken_away(text):
    assert checked(prefixed("T"), text)[1][0][0] == "not_an_integer"
