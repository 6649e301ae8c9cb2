"""First rows: a delimiter, a title or a missing header that keeps a file's first row from fitting the contract."""

import pytest

from data_ingestion.reading.first_rows import nearest, of_lines, of_rows

HEADERS = ("ship", "top speed", "home_port")


@pytest.mark.parametrize(
    ("text", "delimiter", "what", "remedy"),
    [
        ("ship;top speed;home_port\n", ",", "has ';' between its cells", 'declare `delimiter: ";"`'),
        ("Ship;Top Speed;Home Port\n", ",", "has ';' between its cells", 'declare `delimiter: ";"`'),
        ('"ship"|"top speed"|"home_port"\n', ",", "has '|' between its cells", 'declare `delimiter: "|"`'),
        ("ship\ttop speed\thome_port\n", ",", "has a tab between its cells", "declare `format: tsv`"),
        ("ship,top speed,home_port\n", "\t", "where the contract has a tab", '`format: csv` and `delimiter: ","`'),
        ("ship;other\n", ",", "has ';' between its cells", 'declare `delimiter: ";"`'),
        ("a;b;c\n1;2;3\n4;5;6\n", ",", "has ';' between its cells", 'declare `delimiter: ";"`'),
        ("Fleet of 2026\n\nship,top speed,home_port\nIda,7,Oslo\n", ",", "header on line 3", "`headerLine: 3`"),
        ("# made by hand\nship,top speed\n", ",", "header on line 2", "`headerLine: 2`"),
        ("Fleet\nship;top speed;home_port\n", ",", "line 2, with ';' between its cells", "`headerLine: 2`; then"),
        ("Ida,7,Oslo\nTor,9,Bergen\n", ",", "seems to have no header", "'Ida', '7', 'Oslo'"),
        ("HDR,2026,2\nDTL,Ida\nDTL,Tor\n", ",", "its lines begin with 'HDR', 'DTL'", "`columnNames`"),
        ("Ida,7,Oslo\nTor,9,Bergen\nIda,9\n", ",", "seems to have no header", "'Ida', '7', 'Oslo'"),
        ('"ship,top speed,home_port"\n', ",", "quotes around its whole first line", "single cells"),
        ("sep=;\nship;top speed\n", ",", "only Excel understands", 'then declare `delimiter: ";"`'),
        ("sep=,\nship,top speed\n", ",", "only Excel understands", "`headerLine: 2`"),
    ],
)  # fmt: skip
def test_what_a_person_would_see_is_said(text: str, delimiter: str, what: str, remedy: str):
    likeness = of_lines(text, delimiter, HEADERS)
    assert likeness
    assert what in likeness.what
    assert remedy in f"{likeness.what} {likeness.remedy}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ship,fart\n",
        "schiff,hafen\nIda,Oslo\n",
        "SHIP,Top-Speed,port\n",
        "name;of,the;column\n1,2\n",
        "schiff,hafen\nship,Oslo\n",
    ],
)
def test_a_header_of_other_names_is_left_to_the_list_of_its_faults(text: str):
    assert of_lines(text, ",", HEADERS) is None


def test_rows_of_a_sheet_have_their_own_numbers():
    rows = [(1, ("Fleet",)), (4, ("Ship", "Top speed", "Home port"))]
    likeness = of_rows(rows, HEADERS, "row")
    assert likeness
    assert "header on row 4" in likeness.what


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHIP ", "ship"),
        ("top_speed", "top speed"),
        ("Home-Port", "home_port"),
        ("topspede", "top speed"),
        ("captain", None),
        ("", None),
    ],
)
def test_a_name_is_recognised_regardless_of_case_blanks_and_underscores(name: str, meant: str | None):
    assert nearest(name, HEADERS) == meant
