"""Commands: what a target of the Makefile asks for reaches the program that does it."""

import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runtime import commands

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words that the containers are run with."""
    words: list[str] = []
    compose = SimpleNamespace(is_up=lambda: True, run=lambda *given: words.extend(given) or 0)
    monkeypatch.setattr(commands, "_compose", lambda options: compose)
    return words


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["traffic"], "goldworks traffic --minutes 60"),
        (["traffic", "5", "--seed", "0"], "goldworks traffic --minutes 5 --seed 0"),
    ],
)
def test_the_shop_is_told_how_long_and_by_which_seed(
    told: list[str], arguments: list[str], asked: str
) -> None:
    assert commands.main(arguments) == 0
    assert " ".join(told).endswith(asked)


def test_make_takes_minutes_and_seed_of_the_shop() -> None:
    planned = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "traffic", "MINUTES=5", "SEED=7"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert planned.split()[-4:] == ["traffic", "5", "--seed", "7"]


@pytest.mark.parametrize("command", ["ps", "down"])
def test_what_asks_containers_says_when_docker_knows_no_compose(
    command: str, docker: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    docker.answers("version", 'echo "unknown flag: --short" >&2; exit 125')
    assert commands.main([command, "--home", str(tmp_path / "home")]) == 1
    assert "docker has no `compose`\n  install the Compose plugin" in capsys.readouterr().err
