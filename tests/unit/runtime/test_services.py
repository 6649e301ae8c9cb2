"""Services: a process is ours only while its id and its beginning are those we wrote down."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime import Fault
from runtime.services import Keeper, Service, began, last_lines, run_program

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path / "run", tmp_path / "logs")
    yield keeper
    for file in keeper.directory.glob("*.json"):
        keeper.stop(file.stem, patience=0.2)


def service(keeper: Keeper, code: str, name: str = "sleeper") -> Service:
    return Service(
        name,
        [sys.executable, "-c", code],
        dict(os.environ),
        lambda: bool(last_lines(keeper.log_file(name), 1)),
    )


def test_a_service_is_started_once_and_stopped(keeper: Keeper) -> None:
    sleeper = service(keeper, SLEEPER)
    assert keeper.start(sleeper)
    keeper.wait_healthy(sleeper, 20)
    pid = keeper.pid("sleeper")
    assert not keeper.start(sleeper)
    assert keeper.pid("sleeper") == pid
    assert keeper.stop("sleeper")
    assert keeper.pid("sleeper") is None
    assert not keeper.stop("sleeper")


def test_one_that_ignores_the_request_is_ended_all_the_same(keeper: Keeper) -> None:
    stubborn = service(keeper, STUBBORN)
    keeper.start(stubborn)
    keeper.wait_healthy(stubborn, 20)
    assert keeper.stop("sleeper", patience=0.4)
    assert keeper.pid("sleeper") is None


@pytest.mark.parametrize("then", ["stop", "start"])
def test_children_of_one_that_was_killed_do_not_stay_behind(keeper: Keeper, then: str) -> None:
    parent = service(
        keeper,
        "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "print(child.pid, flush=True); child.wait()",
    )
    keeper.start(parent)
    keeper.wait_healthy(parent, 20)
    child = int(last_lines(keeper.log_file("sleeper"), 1)[0])
    os.kill(keeper.pid("sleeper") or 0, signal.SIGKILL)
    while keeper.pid("sleeper"):
        pass
    assert began(child)
    keeper.stop("sleeper") if then == "stop" else keeper.start(service(keeper, SLEEPER))
    deadline = time.monotonic() + 20
    while began(child):
        assert time.monotonic() < deadline


def test_an_id_that_belongs_to_somebody_else_now_is_not_touched(keeper: Keeper) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE) as stranger:
        keeper.directory.mkdir()
        (keeper.directory / "sleeper.json").write_text(json.dumps({"pid": stranger.pid, "began": "long ago"}))
        assert keeper.pid("sleeper") is None
        assert not keeper.stop("sleeper")
        assert stranger.poll() is None
        stranger.kill()


@pytest.mark.parametrize("record", ["", "{}", "[1]", '{"pid": "x"}', '{"pid": 1, "began": null}'])
def test_a_broken_process_file_means_not_running(keeper: Keeper, record: str) -> None:
    keeper.directory.mkdir()
    (keeper.directory / "sleeper.json").write_text(record)
    assert keeper.pid("sleeper") is None


def test_one_that_ends_while_starting_is_told_with_the_end_of_its_log(keeper: Keeper) -> None:
    broken = Service(
        "broken", [sys.executable, "-c", "raise SystemExit('no such port')"], dict(os.environ), lambda: False
    )
    keeper.start(broken)
    with pytest.raises(Fault, match=r"(?s)broken ended while starting.*no such port"):
        keeper.wait_healthy(broken, 20)


def test_one_that_never_comes_up_is_told_with_its_address(keeper: Keeper) -> None:
    mute = Service(
        "mute", [sys.executable, "-c", SLEEPER], dict(os.environ), lambda: False, "http://127.0.0.1:1"
    )
    keeper.start(mute)
    with pytest.raises(Fault, match=r"mute is not up after 0 s at http://127\.0\.0\.1:1"):
        keeper.wait_healthy(mute, 0.3)


def test_a_living_process_has_a_beginning_and_a_dead_one_has_none() -> None:
    process = subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.DEVNULL)
    try:
        assert began(process.pid) == began(process.pid) is not None
        assert began(process.pid) != began(os.getpid())
    finally:
        process.kill()
        process.wait()
    assert began(process.pid) is None


def test_the_last_lines_of_a_long_file(tmp_path: Path) -> None:
    file = tmp_path / "long.log"
    file.write_text("".join(f"line {number}\n" for number in range(100_000)))
    assert last_lines(file, 2) == ["line 99998", "line 99999"]
    assert last_lines(tmp_path / "none.log", 2) == []


def test_a_program_that_fails_is_told_by_name_with_what_it_said_last(tmp_path: Path) -> None:
    script = "import sys; print('made half'); sys.exit('no room left')"
    with pytest.raises(Fault, match=r"migrating failed \(1\)\n  made half\n  no room left"):
        run_program([sys.executable, "-c", script], os.environ, tmp_path, "migrating")
    assert run_program([sys.executable, "-c", "print('done')"], os.environ, tmp_path, "migrating") == "done\n"
