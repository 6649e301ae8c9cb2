"""What a command prints: a sender's text is bounded, and what was passed over is named with a way out."""

from data_ingestion.cli import output
from data_ingestion.cli.lines import say_load
from data_ingestion.excerpts import shorten_line
from data_ingestion.landing import PassedOver
from data_ingestion.ledger import Kind, LoadReport, LoadState


def failed(error, key="things/a.csv"):
    return LoadReport("things", key, Kind.NEW, LoadState.FAILED, error=error)


def test_of_an_error_that_quotes_a_megabyte_the_beginning_and_the_way_out_are_shown(capsys):
    say_load(failed(f"things/a.csv:1: header '{'h' * 1_000_000}'\n  add it"), 8)
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("failed      things/a.csv:1: header 'hhh")
    assert first.endswith("… (1,000,025 characters; --json shows all)")
    assert (len(first) < 500, last) == (True, "  add it")


def test_of_an_error_of_a_thousand_lines_the_first_ones_are_shown():
    lines = failed(
        "\n".join(["things/a.csv: many", *(f"  column {number}" for number in range(999))])
    ).failure_message()
    assert lines.splitlines()[-1] == "  … and 980 more lines"
    assert len(lines.splitlines()) == 21


def test_a_text_that_is_short_is_shown_as_it_is():
    assert shorten_line("x" * 400) == "x" * 400
    assert shorten_line("x" * 401).startswith("x" * 400 + "… (401 ")


def test_failures_are_alike_but_for_the_drop_and_numbers():
    one, other = failed("things/a.csv:18: 3 rows"), failed("things/b.csv:7: 1,200 rows", "things/b.csv")
    assert one.failure_kind != failed("things/a.csv:18: 3 cells").failure_kind
    assert failed("things/b.csv:7: 12 rows", "things/b.csv").failure_kind == one.failure_kind
    assert other.failure_message() == "things/b.csv:7: 1,200 rows"


def test_what_was_passed_over_is_named_with_the_way_out_and_many_with_the_same_fault_are_counted(capsys):
    links = [PassedOver(f"d/{number}.csv", "a link out", "move it") for number in range(8)]
    output.say_passed_over([*links, PassedOver("d/pipe", "a pipe", "remove it")])
    assert capsys.readouterr().out.splitlines() == [
        *(f"passed over d/{number}.csv  a link out" for number in range(5)),
        "            and 3 more; `goldworks plan --json` lists all",
        "            move it",
        "passed over d/pipe  a pipe",
        "            remove it",
    ]


def test_one_very_long_key_does_not_move_the_lines_of_all_others(capsys):
    assert output.width_of(["a", "bb"]) == 2
    assert output.width_of(["a", "x" * 2_000]) == 80
    assert output.width_of([]) == 0
