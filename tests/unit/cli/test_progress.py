"""The bar of a load: what is read again counts once, and lines stand above the bar."""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from data_ingestion.cli import console
from data_ingestion.cli.progress import ReadBytes, progress_bar

SIZES = {"a": 10, "b": 0, "c": 7}
STEPS = st.lists(st.tuples(st.sampled_from([*SIZES, "unplanned"]), st.integers(0, 12) | st.none()))


@given(STEPS)
def test_a_bar_never_passes_its_end_nor_goes_back_whatever_is_read_again(steps):
    shown = [0]
    read = ReadBytes(SIZES, shown.append)
    for key, count in steps:
        read.end(key) if count is None else read.add(key, count)
    assert shown == sorted(shown)
    assert shown[-1] <= sum(SIZES.values())


def test_a_drop_that_needed_no_reading_counts_as_done():
    shown = []
    read = ReadBytes(SIZES, shown.append)
    read.add("a", 4)
    read.end("a")
    read.end("c")
    assert shown == [4, 10, 17]


def test_a_log_has_no_bar(capsys):
    with progress_bar("things", SIZES, shown=True) as read:
        read.add("a", 10)
    assert capsys.readouterr() == ("", "")


def test_there_is_no_bar_where_events_go_to_the_same_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")  # on a dumb one there is never a bar
    monkeypatch.setattr(
        "data_ingestion.cli.console.console", Console(force_terminal=True, file=io.StringIO())
    )
    monkeypatch.setattr("data_ingestion.cli.console.errors", Console(force_terminal=True, file=io.StringIO()))
    monkeypatch.setenv("GOLDWORKS_LOG", "-")
    with progress_bar("things", SIZES, shown=True):
        assert console.console.file.getvalue() == ""
    monkeypatch.delenv("GOLDWORKS_LOG")
    with progress_bar("things", SIZES, shown=True):
        assert console.console.file.getvalue() != ""


PRINTS = """
from data_ingestion.cli import output
from data_ingestion.cli.progress import progress_bar
with progress_bar("things", {"a": 100}, shown=True) as read:
    for number in range(3):
        read.add("a", 30)
        output.say("load", f"line {number}", "bold red")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of its own")
def test_no_line_lands_on_the_bar():
    """On a terminal a line begins where the bar was wiped away, and the bar is drawn again below it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
    process = subprocess.Popen(
        [sys.executable, "-c", PRINTS], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    written = b""
    try:
        while data := os.read(ours, 1 << 16):
            written += data
    except OSError:  # the other end is closed
        pass
    assert process.wait() == 0
    screen = played(written.decode())
    assert [line for line in screen if line] == [
        "load        line 0",
        "load        line 1",
        "load        line 2",
    ]


def played(text):
    """What a terminal shows in the end, as far as rich makes use of one: lines, returns, wipes and steps up."""
    lines, row, column = [""], 0, 0
    for code, plain in re.findall(r"\x1b\[([0-9;?]*[A-Za-z])|([^\x1b])", text):
        if code == "2K":
            lines[row] = ""
        elif code.endswith("A"):
            row = max(row - int(code[:-1] or 1), 0)
        elif plain == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif plain == "\r":
            column = 0
        elif plain:
            lines[row] = lines[row][:column].ljust(column) + plain + lines[row][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]
