"""A docker of the tests' own, and the settings of a fresh home."""

import json
from pathlib import Path

import pytest

from runtime.settings import Settings, load_settings

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
