"""Up: what must hold before a container is started, in which order it goes, and when DAGs run by themselves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from runtime import Fault, compose, containers, preflight
from runtime import up as module
from runtime.settings import Settings, load_settings
from runtime.stack import Stack


@dataclass
class Machine:
    """What happens to containers, written down instead of done."""

    done: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    is_up: bool = False
    has_run: bool = False
    wanted: list[tuple[list[str], bool]] = field(default_factory=list)

    def does(self, what: str) -> Callable[..., None]:
        return lambda *_, **__: self.done.append(what)

    def compose(self, _: Settings, profiles: list[str], development: bool) -> "Project":
        self.wanted.append((profiles, development))
        return Project(self)


@dataclass
class Project:
    machine: Machine

    def is_up(self) -> bool:
        return self.machine.is_up

    def prepare_images(self) -> None:
        self.machine.done.append("images")

    def images(self) -> list[str]:
        return ["goldworks/airflow:local"]

    def remove_unwanted(self) -> None:
        self.machine.done.append("remove what is unwanted")

    def start(self, note: Callable[[str], None]) -> None:
        note("waiting for postgres")
        self.machine.done.append("start")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(tmp_path, free_ports=True)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    known = Machine()

    class Api:
        def __init__(self, _: Settings) -> None: ...

        def has_run(self, _: str) -> bool:
            return known.has_run

    @contextmanager
    def alone(_: Settings) -> Iterator[None]:
        known.done.append("alone")
        yield

    monkeypatch.setattr(module, "one_at_a_time", alone)
    monkeypatch.setattr(compose, "check_engine", known.does("engine"))
    monkeypatch.setattr(Stack, "running", lambda _: known.running)
    monkeypatch.setattr(module, "Compose", known.compose)
    monkeypatch.setattr(containers, "write", known.does("settings and secrets"))
    monkeypatch.setattr(module.airflow, "Api", Api)
    monkeypatch.setattr(module, "find_domains", lambda: ["bank", "web"])
    monkeypatch.setattr(module, "find_dashboards", list)
    monkeypatch.setattr(module, "wait_for_dags", known.does("dags"))
    monkeypatch.setattr(module, "run_to_the_end", known.does("first runs"))
    monkeypatch.setattr(module, "show_addresses", known.does("addresses"))
    return known


STEPS = ["alone", "engine", "settings and secrets", "images", "remove what is unwanted", "start", "dags"]


def test_the_first_time_every_dag_runs_to_its_end_and_then_addresses_are_told(
    machine: Machine, settings: Settings
) -> None:
    module.up(settings)
    assert machine.done == [*STEPS, "first runs", "addresses"]
    assert machine.wanted == [(["local-postgres", "local-s3", "shop"], False)]


def test_once_any_dag_has_run_none_is_started_again(machine: Machine, settings: Settings) -> None:
    machine.has_run = True
    module.up(settings)
    assert machine.done == [*STEPS, "addresses"]


def test_on_a_landing_of_ones_own_no_dag_is_started(machine: Machine, settings: Settings) -> None:
    """Someone's files are loaded when they say so."""
    theirs = {"GOLDWORKS_LANDING_URL": "s3://theirs", "AWS_ENDPOINT_URL": ""}
    module.up(replace(settings, values={**settings.values, **theirs}))
    assert machine.done == [*STEPS, "addresses"]
    assert machine.wanted == [(["local-postgres"], False)]


def test_celery_and_the_working_copy_are_handed_on(
    machine: Machine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[bool] = []
    monkeypatch.setattr(containers, "write", lambda _, *, distributed: told.append(distributed))
    module.up(settings, distributed=True, development=True)
    assert machine.wanted == [(["local-postgres", "local-s3", "shop", "distributed"], True)]
    assert told == [True]


def test_while_the_servers_of_the_other_runtime_run_nothing_is_done(
    machine: Machine, settings: Settings
) -> None:
    machine.running = ["postgres", "superset"]
    with pytest.raises(Fault, match=r"runs without Docker: postgres, superset\n.*`make stop`"):
        module.up(settings)
    assert machine.done == ["alone", "engine"]


def test_a_taken_port_is_found_before_anything_is_written(
    machine: Machine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = settings.port("GOLDWORKS_SUPERSET_PORT")
    monkeypatch.setattr(preflight, "port_is_free", lambda port: port != taken)
    with pytest.raises(Fault, match=f"127.0.0.1:{taken} is taken"):
        module.up(settings)
    assert machine.done == ["alone", "engine"]


def test_ports_that_our_own_containers_hold_are_no_obstacle(
    machine: Machine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.is_up = True
    monkeypatch.setattr(preflight, "port_is_free", lambda _: False)
    module.up(settings)
    assert machine.done[-1] == "addresses"


def test_without_an_engine_not_even_settings_are_written(
    machine: Machine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Fault("Docker is not installed")

    monkeypatch.setattr(compose, "check_engine", refuse)
    with pytest.raises(Fault, match="Docker is not installed"):
        module.up(settings)
    assert machine.done == ["alone"]
