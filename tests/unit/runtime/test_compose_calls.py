"""Compose: how docker is asked, and which docker will do."""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runtime import Fault, compose
from runtime.compose import Compose
from runtime.settings import ROOT, Settings


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


def test_a_password_that_looks_like_a_variable_to_compose_is_none(docker: Any, settings: Settings) -> None:
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


def test_a_failure_is_told_with_what_docker_complained_of(docker: Any, settings: Settings) -> None:
    docker.answers("pull", "echo of no interest; echo no such image >&2; exit 18")
    with pytest.raises(Fault, match=r"^docker compose pull failed \(18\)\n  no such image$"):
        Compose(settings).ask("pull")


def test_images_of_ours_are_told_from_those_of_others(docker: Any, settings: Settings) -> None:
    docker.answers(
        "config",
        "printf '%s\\n' goldworks/s3:local postgres:18-bookworm goldworks/airflow:local goldworks/s3:local",
    )
    assert Compose(settings).images() == ["goldworks/airflow:local", "goldworks/s3:local"]


def test_images_are_built_here_or_come_from_the_registry_that_the_settings_name(
    docker: Any, settings: Settings
) -> None:
    Compose(settings).prepare_images()
    assert docker.calls("build") == ["build"]
    theirs = replace(settings, values={**settings.values, "GOLDWORKS_IMAGES": "registry.example.com/gold"})
    (docker.bin / "calls").unlink()
    Compose(theirs).prepare_images()
    assert docker.calls("pull") == ["pull --quiet"]
    assert docker.calls("build") == []


def test_a_build_that_fails_is_told_with_the_end_of_its_log(docker: Any, settings: Settings) -> None:
    docker.answers("build", "seq 100 | sed 's/^/step /'; echo no wheel for it >&2; exit 1")
    with pytest.raises(
        Fault, match=r"docker compose build failed; the end of .*/build\.log:\n  step 82\n"
    ) as caught:
        Compose(settings).build()
    assert str(caught.value).endswith("  no wheel for it")


def test_psql_runs_where_the_server_is(docker: Any, settings: Settings) -> None:
    values = {**settings.values, "GOLDWORKS_WAREHOUSE": "dev"}
    Compose(replace(settings, values=values)).psql("-c", "select 1")
    assert docker.calls("exec") == [
        "exec --no-TTY postgres psql --username postgres warehouse_dev -c select 1"
    ]


def test_psql_on_a_server_that_is_already_there_goes_out_from_a_container(
    docker: Any, settings: Settings
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


@pytest.mark.parametrize("version", ["v2.20.0", "2.40.3", "2.24.0-desktop.1", "v5.0.1", "2.20.2+ds1"])
def test_a_compose_new_enough_will_do(docker: Any, version: str) -> None:
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
def test_an_engine_that_will_not_do_is_told_with_the_way_out(docker: Any, script: str, told: str) -> None:
    docker.answers("version", script)
    with pytest.raises(Fault, match=told):
        compose.check_engine()


def test_without_docker_the_other_runtime_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Fault, match=r"Docker is not installed\n.*make demo"):
        compose.check_engine()
