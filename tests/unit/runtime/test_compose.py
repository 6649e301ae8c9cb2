"""Compose: how containers are seen, and what is told as they become well or do not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runtime import Fault, compose
from runtime.compose import Compose, Container, read_containers
from runtime.settings import Settings


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compose.time, "sleep", lambda _: None)


def shown(service: str, state: str, health: str = "", code: int = 0, number: int = 1) -> dict[str, object]:
    """A container as `docker compose ps --format json` shows it, among much else."""
    name = f"goldworks-{service}-{number}"
    known = {"ID": f"id-{name}", "Name": name, "Service": service, "State": state, "ExitCode": code}
    return {**known, "Health": health, "Image": "goldworks/airflow:local", "Publishers": None}


# ── what ps says ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "write", [lambda found: "".join(f"{json.dumps(one)}\n" for one in found), json.dumps]
)
def test_containers_are_read_line_by_line_or_from_the_list_of_an_older_compose(
    write: Callable[[list[dict[str, object]]], str],
) -> None:
    found = [shown("postgres", "running", "healthy"), shown("samples", "exited", code=3)]
    assert read_containers(write(found)) == [
        Container("id-goldworks-postgres-1", "goldworks-postgres-1", "postgres", "running", "healthy", 0),
        Container("id-goldworks-samples-1", "goldworks-samples-1", "samples", "exited", "", 3),
    ]


def test_no_container_is_no_fault() -> None:
    assert read_containers("") == read_containers("\n") == read_containers("[]") == []


@pytest.mark.parametrize(
    ("state", "health", "code", "is_ready", "has_failed", "told"),
    [
        ("running", "healthy", 0, True, False, "healthy"),
        ("running", "", 0, True, False, "running"),
        ("running", "starting", 0, False, False, "starting"),
        ("running", "unhealthy", 0, False, False, "unhealthy"),
        ("exited", "", 0, True, False, "done"),
        ("exited", "", 3, False, True, "failed (3)"),
        ("exited", "unhealthy", 137, False, True, "failed (137)"),
        ("dead", "", 1, False, True, "failed (1)"),
        ("created", "", 0, False, False, "created"),
        ("restarting", "", 1, False, False, "restarting"),
    ],
)
def test_a_container_is_ready_when_it_is_well_or_has_done_what_it_was_there_for(
    state: str, health: str, code: int, is_ready: bool, has_failed: bool, told: str
) -> None:
    one = Container("id", "goldworks-one-1", "one", state, health, code)
    assert (one.is_ready, one.has_failed, one.state_text) == (is_ready, has_failed, told)


# ── is it up, and what is too much ────────────────────────────────────────────────────────────────────────────────


def test_the_platform_is_up_when_anything_of_it_runs(docker: Any, settings: Settings) -> None:
    project = Compose(settings)
    docker.shows([shown("samples", "exited"), shown("superset", "running", "starting")])
    assert project.is_up()
    docker.shows([shown("samples", "exited")])
    assert not project.is_up()


def test_without_docker_or_with_an_engine_that_is_off_nothing_is_up(
    tmp_path: Path, docker: Any, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.answers("ps", "echo Cannot connect to the Docker daemon >&2; exit 1")
    assert not Compose(settings).is_up()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not Compose(settings).is_up()


def test_a_container_replaced_between_two_questions_is_asked_for_again(
    docker: Any, settings: Settings
) -> None:
    docker.answers(
        "ps",
        'if [ ! -e "$here/once" ]; then touch "$here/once"; echo "No such container: 4f2c" >&2; exit 1; fi\n'
        f"echo '{json.dumps(shown('superset', 'running', 'healthy'))}'",
    )
    assert [one.service for one in Compose(settings).containers()] == ["superset"]


def test_what_runs_of_profiles_no_longer_wanted_is_removed(docker: Any, settings: Settings) -> None:
    docker.answers("config", "printf 'superset\\nsamples\\n'")
    workers = [shown("airflow-worker", "running", "healthy", number=number) for number in (1, 2, 3)]
    docker.shows([shown("superset", "running", "healthy"), shown("redis", "running", "healthy"), *workers])
    Compose(settings, ["local-s3"]).remove_unwanted()
    assert docker.calls("rm") == ["rm --stop --force airflow-worker redis"]
    docker.shows([shown("superset", "running", "healthy")])
    (docker.bin / "calls").unlink()
    Compose(settings, ["local-s3"]).remove_unwanted()
    assert docker.calls("rm") == []


# ── coming up ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("no_waiting")
def test_each_container_is_told_once_as_it_becomes_well(
    docker: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    init, postgres, superset = "postgres-init", "postgres", "superset"
    docker.shows(
        [],
        [shown(postgres, "running", "starting"), shown(init, "created")],
        [shown(postgres, "running", "healthy"), shown(init, "running"), shown(superset, "created")],
        [
            shown(postgres, "running", "healthy"),
            shown(init, "exited"),
            shown(superset, "running", "starting"),
        ],
        [shown(postgres, "running", "healthy"), shown(init, "exited"), shown(superset, "running", "healthy")],
    )
    notes: list[str] = []
    Compose(settings).start(notes.append)
    lines = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["healthy", "goldworks-postgres-1"],
        ["done", "goldworks-postgres-init-1"],
        ["healthy", "goldworks-superset-1"],
    ]
    assert notes[0] == "waiting for postgres, postgres-init"
    assert notes[-1] == ""
    assert docker.calls("up") == ["up --detach --no-build --remove-orphans"]


@pytest.mark.usefixtures("no_waiting")
def test_what_was_well_before_is_counted_and_not_told(
    docker: Any, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.shows([shown("postgres", "running", "healthy"), shown("samples", "exited")])
    Compose(settings).start(lambda _: None)
    assert capsys.readouterr().out == "  2 were well already, or are again\n"


@pytest.mark.usefixtures("no_waiting")
def test_a_container_that_failed_is_told_with_the_end_of_its_log(docker: Any, settings: Settings) -> None:
    docker.shows(
        [
            shown("postgres", "running", "healthy"),
            shown("airflow-init", "exited", code=1),
            shown("airflow-api", "created"),
        ]
    )
    docker.answers("up", "echo 'service \"airflow-init\" did not complete' >&2; exit 1")
    docker.answers("logs", "seq 40; echo the database is too old")
    with pytest.raises(Fault) as caught:
        Compose(settings).start(lambda _: None)
    first, *rest = str(caught.value).splitlines()
    assert first == "goldworks-airflow-init-1 is failed (1); the end of its log:"
    assert [line.strip() for line in rest[:2]] == ["27", "28"]
    assert rest[-2:] == ["    the database is too old", "  all of it: make logs S=SERVICE"]
    assert docker.calls("logs") == ["logs --no-color --no-log-prefix --tail 15 airflow-init"]


@pytest.mark.usefixtures("no_waiting")
def test_a_one_shot_is_waited_for_although_compose_is_done_and_its_failure_told(
    docker: Any, settings: Settings
) -> None:
    docker.shows(
        [shown("samples", "running")], [shown("samples", "running")], [shown("samples", "exited", code=2)]
    )
    docker.answers("logs", "echo no such bucket")
    with pytest.raises(Fault, match=r"goldworks-samples-1 is failed \(2\)(.*\n)*.*no such bucket"):
        Compose(settings).start(lambda _: None)


@pytest.mark.usefixtures("no_waiting")
def test_a_container_that_stays_ill_is_told_with_what_its_health_check_said(
    docker: Any, settings: Settings
) -> None:
    docker.shows([shown("postgres", "running", "healthy"), shown("superset", "running", "unhealthy")])
    docker.answers("logs", "echo started")
    docker.answers("inspect", "printf 'HTTP 500\\nConnection refused\\n'")
    with pytest.raises(Fault) as caught:
        Compose(settings).start(lambda _: None, patience=-1)
    assert str(caught.value).splitlines()[:3] == [
        "goldworks-superset-1 is unhealthy; the end of its log:",
        "    started",
        "    Connection refused",
    ]
    assert docker.calls("inspect")[0].endswith(" id-goldworks-superset-1")


@pytest.mark.usefixtures("no_waiting")
def test_when_compose_itself_fails_the_end_of_its_log_is_told(docker: Any, settings: Settings) -> None:
    docker.shows([])
    docker.answers("up", "echo 'address already in use' >&2; exit 1")
    with pytest.raises(
        Fault, match=r"docker compose up failed \(1\); the end of .*/compose\.log:\n.*address already in use"
    ):
        Compose(settings).start(lambda _: None)
