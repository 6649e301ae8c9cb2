"""Odd entries: whatever lies in a folder beside the files, these are loaded, and what is passed over is named."""

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_ingestion.discovery import discover
from data_ingestion.errors import ObjectChanged, OperatorFault
from data_ingestion.landing import FolderLanding, LandingObject, Walk
from data_ingestion.landing.names import key_of, name_of
from tests.integration.test_load import put, raw

KEY = "things/2026-01/a.csv"


def walk(landing, start=""):
    """The keys seen, and what was passed over by its key."""
    odd = []
    keys = sorted(item.key for item in landing.walk(lambda _: Walk.WHOLE, start, odd.append))
    return keys, {entry.key: entry for entry in odd}


def a_socket(path):
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is at most 108 bytes long
    try:
        with socket.socket(socket.AF_UNIX) as opened:
            opened.bind(path.name)
    finally:
        os.chdir(here)


ODD = {
    "a link to itself": (lambda path: path.symlink_to(path.name), "points to itself"),
    "a link to nothing": (lambda path: path.symlink_to("nothing"), "a broken link"),
    "a link out": (lambda path: path.symlink_to("/etc/passwd"), "outside the landing"),
    "a link to a folder outside": (lambda path: path.symlink_to("/etc"), "outside the landing"),
    "a link to the landing": (lambda path: path.symlink_to(".."), "to a folder on the landing"),
    "a pipe": (os.mkfifo, "a pipe"),
    "a socket": (a_socket, "a socket"),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_entry_is_passed_over_and_named_with_what_to_do(landing, odd):
    make, fault = ODD[odd]
    landing.write("d/good.csv", b"x")
    make(landing.root / "d" / "odd.csv")
    keys, passed_over = walk(landing)
    assert keys == ["d/good.csv"]
    (entry,) = passed_over.values()
    assert (entry.key, fault in entry.fault, bool(entry.remedy)) == ("d/odd.csv", True, True)


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_entry_beside_a_datasets_files_stops_no_load(things, landing, warehouse, load, odd):
    make, _ = ODD[odd]
    put(landing, KEY, "1,1,x")
    make(landing.root / "things/2026-01/odd.csv")
    assert [(report.object_key, report.state) for report in load(things)] == [(KEY, "loaded")]
    assert [entry.key for entry in discover([things], landing, warehouse).passed_over] == [
        "things/2026-01/odd.csv"
    ]


def test_a_path_that_the_ledger_can_not_keep_is_passed_over(things, landing, load):
    put(landing, KEY, "1,1,x")
    folder = os.open(landing.root, os.O_RDONLY)
    for number in range(14):  # 14 names of 250 bytes that no index can compress, one folder at a time
        name = "".join(chr(97 + (number * 7 + at * at * 13 + at // 3) % 26) for at in range(250))
        os.mkdir(name, dir_fd=folder)
        folder = os.open(name, os.O_RDONLY, dir_fd=folder)
    os.close(os.open("a.csv", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    keys, passed_over = walk(landing)
    assert keys == [KEY]
    (entry,) = passed_over.values()
    assert "longer than 2,048 bytes" in entry.fault
    assert len(load(things)) == 1


def test_a_time_that_no_calendar_has_is_passed_over(landing, monkeypatch):
    """Some file systems keep it; others cut it off when it is set."""
    landing.write("a.csv", b"x")
    landing.write("b.csv", b"x")

    def seen(key, status):
        if key == "b.csv":
            datetime.fromtimestamp(253_402_300_800, UTC)
        return FolderLanding._seen(key, status)

    monkeypatch.setattr(landing, "_seen", seen)
    keys, passed_over = walk(landing)
    assert (keys, "years 1 to 9999" in passed_over["b.csv"].fault) == (["a.csv"], True)


def test_what_vanishes_between_listing_and_looking_is_no_fault(landing, monkeypatch):
    landing.write("d/a.csv", b"x")
    landing.write("d/b.csv", b"x")
    entries = landing._entries

    def listed(folder, passed_over):
        found = entries(folder, passed_over)
        (landing.root / "d/b.csv").unlink(missing_ok=bool(folder))
        return found

    monkeypatch.setattr(landing, "_entries", listed)
    assert walk(landing, "d/") == (["d/a.csv"], {})


def unreadable(monkeypatch, path):
    """Root may read everything, so the answer of the system is made up."""
    scandir = os.scandir

    def refusing(folder):
        if Path(folder) == path:
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr("data_ingestion.landing.folder.os.scandir", refusing)


def test_an_unreadable_folder_hides_its_files_and_makes_none_of_them_gone(
    things, landing, warehouse, load, monkeypatch
):
    put(landing, KEY, "1,1,x")
    put(landing, "things/2026-02/b.csv", "x")  # fails, so it is looked for again in each run
    load(things)
    unreadable(monkeypatch, landing.root / "things/2026-02")
    found = discover([things], landing, warehouse)
    assert [(entry.key, entry.hides) for entry in found.passed_over] == [("things/2026-02", True)]
    assert found.plans[0].known == 1
    assert (
        not warehouse.known_objects("things", [_at("things/2026-02/b.csv")])
        .objects["things/2026-02/b.csv"]
        .is_gone
    )


def _at(key):
    return LandingObject(key, 1, "e", datetime.now(UTC))


def test_who_must_see_everything_is_refused_where_something_is_hidden(landing, monkeypatch):
    """A capture that overlooked its last drops would number the next ones like them."""
    landing.write("d/a.csv", b"x")
    unreadable(monkeypatch, landing.root / "d")
    with pytest.raises(OperatorFault, match="d: can't be read: Permission denied"):
        list(landing.list_objects())


def test_a_landing_that_can_not_be_listed_at_all_is_the_operators(landing, monkeypatch):
    unreadable(monkeypatch, landing.root)
    with pytest.raises(OperatorFault, match="can't be listed"):
        walk(landing)


def test_names_that_are_not_utf8_are_read_beside_the_names_that_look_like_them(
    things, landing, warehouse, load
):
    folder = landing.root / "things/2026-01"
    folder.mkdir(parents=True)
    for number, name in enumerate([b"\xff.csv", rb"\xff.csv", rb"\x5cxff.csv", b"\xc3\xbc.csv"], start=1):
        (folder / os.fsdecode(name)).write_text(f"id,amount,note\n{number},1,x\n")
    assert {report.object_key.rpartition("/")[2]: report.state for report in load(things)} == dict.fromkeys(
        ["\\xff.csv", "\\x5cxff.csv", "\\x5cx5cxff.csv", "ü.csv"], "loaded"
    )
    assert [row[0] for row in raw(warehouse)] == [1, 2, 3, 4]
    assert load(things) == []
    seen = landing.look("things/2026-01/\\xff.csv")
    with landing.open(seen) as stream:
        assert stream.read().endswith(b"\n1,1,x\n")


@given(st.binary(min_size=1, max_size=8).filter(lambda name: not {0, 47} & set(name)))
def test_every_name_has_a_key_of_its_own(name):
    text = os.fsdecode(name)
    key = key_of(text)
    key.encode()  # a text that any ledger takes
    assert os.fsencode(name_of(key)) == name


PIECES = st.sampled_from([b"\\", b"x", b"5c", b"ff", b"\xff", b"\x80", b"a"])


@given(st.lists(PIECES, min_size=1, max_size=10).map(b"".join))
def test_a_name_made_of_what_escapes_look_like_has_a_key_of_its_own_too(name):
    assert os.fsencode(name_of(key_of(os.fsdecode(name)))) == name


# Links


def test_a_link_to_a_file_of_the_landing_is_another_name_of_it(things, landing, warehouse, load):
    put(landing, KEY, "1,1,x")
    (landing.root / "things/2026-01/b.csv").symlink_to("a.csv")
    assert [(report.object_key[-5:], report.kind) for report in load(things)] == [
        ("a.csv", "new"),
        ("b.csv", "duplicate"),
    ]
    assert discover([things], landing, warehouse).passed_over == ()


def test_a_linked_folder_of_the_landing_is_not_read_a_second_time(things, landing, warehouse, load):
    put(landing, KEY, "1,1,x")
    (landing.root / "things/2026-02").symlink_to("2026-01")
    assert [report.object_key for report in load(things)] == [KEY]
    (entry,) = discover([things], landing, warehouse).passed_over
    assert (entry.key, "loaded from there" in entry.remedy) == ("things/2026-02", True)


def test_a_contracts_own_folder_that_is_a_link_out_is_passed_over_and_says_so(
    things, landing, warehouse, tmp_path
):
    beside = tmp_path / "beside"
    (beside / "2026-01").mkdir(parents=True)
    (beside / "2026-01" / "a.csv").write_text("id,amount,note\n1,1,x\n")
    (landing.root / "things").symlink_to(beside)
    for whole_landing in (True, False):
        found = discover([things], landing, warehouse, whole_landing=whole_landing)
        assert (found.drops, [entry.key for entry in found.passed_over]) == ((), ["things"])


def test_a_file_that_has_become_a_link_out_since_it_was_listed_is_not_read(landing):
    landing.write("a.csv", b"x")
    (seen,) = landing.list_objects()
    (landing.root / "a.csv").unlink()
    (landing.root / "a.csv").symlink_to("/etc/passwd")
    with pytest.raises(OperatorFault, match=r"a\.csv: a link to a target outside the landing"):
        landing.open(seen)
    with pytest.raises(OperatorFault, match="outside the landing"):
        landing.look("a.csv")
    with pytest.raises(OperatorFault, match="outside the landing"):
        landing.look(f"{'../' * 40}etc/passwd")


def test_a_folder_that_has_become_a_link_out_since_it_was_listed_is_not_read(landing, tmp_path):
    landing.write("d/a.csv", b"x")
    (seen,) = landing.list_objects()
    (landing.root / "d").rename(tmp_path / "outside")
    (landing.root / "d").symlink_to(tmp_path / "outside")
    with pytest.raises(OperatorFault, match="outside the landing"):
        landing.open(seen)


def test_a_file_that_is_another_one_behind_its_link_is_noticed(landing):
    landing.write("a.csv", b"x")
    landing.write("b.csv", b"y")
    (landing.root / "c.csv").symlink_to("a.csv")
    seen = landing.look("c.csv")
    (landing.root / "c.csv").unlink()
    (landing.root / "c.csv").symlink_to("b.csv")
    with pytest.raises(ObjectChanged):
        landing.open(seen)


def test_a_landing_that_is_a_link_itself_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "a.csv").write_bytes(b"x")
    (tmp_path / "landing").symlink_to("disk")
    assert walk(FolderLanding(tmp_path / "landing")) == (["a.csv"], {})
    assert walk(FolderLanding(tmp_path / "landing"), "no/such/") == ([], {})
