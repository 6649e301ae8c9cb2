"""Compose: what docker is asked, how its answers are read, and what is told when containers are not well."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from runtime import Fault, compose
from runtime.compose import Compose, Container, read_containers
from runtime.settings import ROOT, Settings, load_settings

# Answers with the script `answer.WORD` for the first word that has one, and notes how it was called.
DOCKER = """#!/usr/bin/env bash
here=${0%/*}
printf '%s\\n' "$*" >>"$here/calls"
for word in "$@"; do
  if [ -e "$here/answer.$word" ]; then . "$here/answer.$word"; exit; fi
done
"""


class Docker:
    """A `docker` of the test's own, first on the path."""

    def __init__(self, bin_: Path) -> None:
        self.bin = bin_
        (bin_ / "docker").write_text(DOCKER)
        (bin_ / "docker").chmod(0o755)

    def answers(self, word: str, script: str) -> None:
        (self.bin / f"answer.{word}").write_text(script)

    def shows(self, *looks: list[dict[str, object]]) -> None:
        """What `ps` says at each look; the last one from then on."""
        for number, look in enumerate(looks, 1):
            (self.bin / f"look.{number}").write_text("".join(f"{json.dumps(one)}\n" for one in look))
        self.answers(
            "ps",
            'n=$(($(cat "$here/n" 2>/dev/null || echo 0) + 1)); echo $n >"$here/n"\n'
            f'cat "$here/look.$((n < {len(looks)} ? n : {len(looks)}))"',
        )

    def calls(self, word: str) -> list[str]:
        """How it was called with that word, from the word on."""
        lines = [f" {line} " for line in (self.bin / "calls").read_text().splitlines()]
        return [line[line.index(f" {word} ") :].strip() for line in lines if f" {word} " in line]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    made = Docker(bin_)
    services = {"postgres-init": {"restart": "no"}, "samples": {"restart": "no"}, "superset": {}}
    made.answers("config", f"echo '{json.dumps({'services': services})}'")
    return made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path / "home")


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
    assert (one.is_ready, one.has_failed, one.told) == (is_ready, has_failed, told)


# ── how it is called ──────────────────────────────────────────────────────────────────────────────────────────────


def words(argv: list[str], option: str) -> list[str]:
    return [argv[at + 1] for at, word in enumerate(argv) if word == option]


def test_the_home_of_the_repository_has_the_plain_name_and_every_other_one_of_its_own(
    tmp_path: Path, settings: Settings
) -> None:
    def name_of(home: Path) -> str:
        return Compose(replace(settings, home=home)).project

    assert name_of(ROOT / "var") == "goldworks"
    names = {name_of(tmp_path / "one"), name_of(tmp_path / "other")}
    assert len(names) == 2
    assert all(re.fullmatch(r"goldworks-[0-9a-f]{8}", name) for name in names)
    assert name_of(tmp_path / "one") in names  # the same the next time
    assert words(Compose(settings).argv("ps"), "--project-name") == [Compose(settings).project]


def test_the_files_are_ours_then_that_of_development_then_the_persons(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    override = tmp_path / "docker-compose.override.yaml"
    monkeypatch.setattr(compose, "OVERRIDE", override)
    ours, development = str(ROOT / "docker-compose.yaml"), str(ROOT / "docker-compose.dev.yaml")

    def files(*, is_dev: bool) -> list[str]:
        return words(Compose(settings, development=is_dev).argv("up"), "--file")

    assert files(is_dev=False) == [ours]
    assert files(is_dev=True) == [ours, development]
    override.touch()
    assert files(is_dev=False) == [ours, str(override)]
    assert files(is_dev=True) == [ours, development, str(override)]
    assert Path(ours).exists()
    assert Path(development).exists()


def test_profiles_are_those_wanted_and_without_a_wish_all(settings: Settings) -> None:
    assert words(Compose(settings, ["local-s3", "distributed"]).argv("up"), "--profile") == [
        "local-s3",
        "distributed",
    ]
    assert words(Compose(settings, []).argv("up"), "--profile") == []
    assert words(Compose(settings).argv("down"), "--profile") == ["*"]


def test_the_command_comes_last_and_whole(settings: Settings) -> None:
    argv = Compose(settings, []).argv("exec", "one", "--file", "x")
    assert argv[:2] == ["docker", "compose"]
    assert argv[-4:] == ["exec", "one", "--file", "x"]


def test_a_password_that_looks_like_a_variable_to_compose_is_none(docker: Docker, settings: Settings) -> None:
    """Compose expands $ in a file of variables, and ends with an error at this one."""
    docker.answers(
        "config", 'printf "%s|" "$GOLDWORKS_TAG" "$COMPOSE_PARALLEL_LIMIT" "${LOADER_PASSWORD-none}"'
    )
    mine = {"LOADER_PASSWORD": "${x", "GOLDWORKS_TAG": "of mine", "COMPOSE_PARALLEL_LIMIT": "2"}
    project = Compose(replace(settings, values={**settings.values, **mine}), [])
    assert project.ask("config") == "of mine|2|none|"
    assert words(project.argv("config"), "--env-file") == [os.devnull]


def test_our_settings_win_over_those_of_the_shell(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOLDWORKS_AIRFLOW_PORT", "1")
    monkeypatch.setenv("GOLDWORKS_HOME", "/elsewhere")
    monkeypatch.setenv("DOCKER_HOST", "unix:///theirs.sock")
    given = Compose(settings).environment
    assert given["GOLDWORKS_AIRFLOW_PORT"] == settings.values["GOLDWORKS_AIRFLOW_PORT"]
    assert given["GOLDWORKS_HOME"] == str(settings.home)
    assert given["DOCKER_HOST"] == "unix:///theirs.sock"


def test_a_failure_is_told_with_what_docker_complained_of(docker: Docker, settings: Settings) -> None:
    docker.answers("pull", "echo of no interest; echo no such image >&2; exit 18")
    with pytest.raises(Fault, match=r"^docker compose pull failed \(18\)\n  no such image$"):
        Compose(settings).ask("pull")


# ── is it up, and what is too much ────────────────────────────────────────────────────────────────────────────────


def test_the_platform_is_up_when_anything_of_it_runs(docker: Docker, settings: Settings) -> None:
    project = Compose(settings)
    docker.shows([shown("samples", "exited"), shown("superset", "running", "starting")])
    assert project.is_up()
    docker.shows([shown("samples", "exited")])
    assert not project.is_up()


def test_without_docker_or_with_an_engine_that_is_off_nothing_is_up(
    tmp_path: Path, docker: Docker, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.answers("ps", "echo Cannot connect to the Docker daemon >&2; exit 1")
    assert not Compose(settings).is_up()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not Compose(settings).is_up()


def test_a_container_replaced_between_two_questions_is_asked_for_again(
    docker: Docker, settings: Settings
) -> None:
    docker.answers(
        "ps",
        'if [ ! -e "$here/once" ]; then touch "$here/once"; echo "No such container: 4f2c" >&2; exit 1; fi\n'
        f"echo '{json.dumps(shown('superset', 'running', 'healthy'))}'",
    )
    assert [one.service for one in Compose(settings).containers()] == ["superset"]


def test_what_runs_of_profiles_no_longer_wanted_is_removed(docker: Docker, settings: Settings) -> None:
    docker.answers("config", "printf 'superset\\nsamples\\n'")
    workers = [shown("airflow-worker", "running", "healthy", number=number) for number in (1, 2, 3)]
    docker.shows([shown("superset", "running", "healthy"), shown("redis", "running", "healthy"), *workers])
    Compose(settings, ["local-s3"]).remove_unwanted()
    assert docker.calls("rm") == ["rm --stop --force airflow-worker redis"]
    docker.shows([shown("superset", "running", "healthy")])
    (docker.bin / "calls").unlink()
    Compose(settings, ["local-s3"]).remove_unwanted()
    assert docker.calls("rm") == []


def test_images_of_ours_are_told_from_those_of_others(docker: Docker, settings: Settings) -> None:
    docker.answers(
        "config",
        "printf '%s\\n' goldworks/s3:local postgres:18-bookworm goldworks/airflow:local goldworks/s3:local",
    )
    assert Compose(settings).images() == ["goldworks/airflow:local", "goldworks/s3:local"]


def test_images_are_built_here_or_come_from_the_registry_that_the_settings_name(
    docker: Docker, settings: Settings
) -> None:
    Compose(settings).prepare_images()
    assert docker.calls("build") == ["build"]
    theirs = replace(settings, values={**settings.values, "GOLDWORKS_IMAGES": "registry.example.com/gold"})
    (docker.bin / "calls").unlink()
    Compose(theirs).prepare_images()
    assert docker.calls("pull") == ["pull --quiet"]
    assert docker.calls("build") == []


def test_a_build_that_fails_is_told_with_the_end_of_its_log(docker: Docker, settings: Settings) -> None:
    docker.answers("build", "seq 100 | sed 's/^/step /'; echo no wheel for it >&2; exit 1")
    with pytest.raises(
        Fault, match=r"docker compose build failed; the end of .*/build\.log:\n  step 82\n"
    ) as caught:
        Compose(settings).build()
    assert str(caught.value).endswith("  no wheel for it")


# ── coming up ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("no_waiting")
def test_each_container_is_told_once_as_it_becomes_well(
    docker: Docker, settings: Settings, capsys: pytest.CaptureFixture[str]
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
    docker: Docker, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.shows([shown("postgres", "running", "healthy"), shown("samples", "exited")])
    Compose(settings).start(lambda _: None)
    assert capsys.readouterr().out == "  2 were well already, or are again\n"


@pytest.mark.usefixtures("no_waiting")
def test_a_container_that_failed_is_told_with_the_end_of_its_log(docker: Docker, settings: Settings) -> None:
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
    docker: Docker, settings: Settings
) -> None:
    docker.shows(
        [shown("samples", "running")], [shown("samples", "running")], [shown("samples", "exited", code=2)]
    )
    docker.answers("logs", "echo no such bucket")
    with pytest.raises(Fault, match=r"goldworks-samples-1 is failed \(2\)(.*\n)*.*no such bucket"):
        Compose(settings).start(lambda _: None)


@pytest.mark.usefixtures("no_waiting")
def test_a_container_that_stays_ill_is_told_with_what_its_health_check_said(
    docker: Docker, settings: Settings
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
def test_when_compose_itself_fails_the_end_of_its_log_is_told(docker: Docker, settings: Settings) -> None:
    docker.shows([])
    docker.answers("up", "echo 'address already in use' >&2; exit 1")
    with pytest.raises(
        Fault, match=r"docker compose up failed \(1\); the end of .*/compose\.log:\n.*address already in use"
    ):
        Compose(settings).start(lambda _: None)


# ── commands inside ───────────────────────────────────────────────────────────────────────────────────────────────


def test_psql_runs_where_the_server_is(docker: Docker, settings: Settings) -> None:
    values = {**settings.values, "GOLDWORKS_WAREHOUSE": "dev"}
    Compose(replace(settings, values=values)).psql("-c", "select 1")
    assert docker.calls("exec") == [
        "exec --no-TTY postgres psql --username postgres warehouse_dev -c select 1"
    ]


def test_psql_on_a_server_that_is_already_there_goes_out_from_a_container(
    docker: Docker, settings: Settings
) -> None:
    external = {
        "GOLDWORKS_PG_HOST": "db.example.com",
        "GOLDWORKS_PG_PORT": "5433",
        "GOLDWORKS_PG_ADMIN": "chief",
    }
    Compose(replace(settings, values={**settings.values, **external})).psql()
    (call,) = docker.calls("run")
    assert call.startswith("run --rm --no-deps ")
    assert call.endswith(
        "--entrypoint bash postgres-init /opt/goldworks/with_secrets psql"
        " --host=db.example.com --port=5433 --username chief warehouse"
    )


# ── the engine ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["v2.20.0", "2.40.3", "2.24.0-desktop.1", "v5.0.1", "2.20.2+ds1"])
def test_a_compose_new_enough_will_do(docker: Docker, version: str) -> None:
    docker.answers("version", f'if [ "$1" = compose ]; then echo "{version}"; else echo 28.1; fi')
    compose.check_engine()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ('[ "$1" != compose ] || echo v2.19.1', r"Docker Compose is v2\.19\.1, 2\.20 or newer is needed"),
        ('echo "not a docker command" >&2; exit 1', r"docker has no `compose`\n  install the Compose plugin"),
        ("echo dev", r"docker has no `compose`"),
        (
            '[ "$1" != compose ] || { echo 2.40.3; exit; }\necho permission denied >&2; exit 1',
            r"the Docker engine does not answer: permission denied\n.*systemctl start docker.*group docker",
        ),
    ],
)
def test_an_engine_that_will_not_do_is_told_with_the_way_out(docker: Docker, script: str, told: str) -> None:
    docker.answers("version", script)
    with pytest.raises(Fault, match=told):
        compose.check_engine()


def test_without_docker_the_other_runtime_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Fault, match=r"Docker is not installed\n.*make demo"):
        compose.check_engine()
