"""Snippets: the blocks of a page that say what a person types and what the machine answers.

A block after the line `<!-- run -->` is run: a `yaml` or `sql` block is written to the file that its first line
names, a `python` block must end without an error, and each line of a `console` block that begins with `$ ` must print
what stands below it, `…` alone on a line being anything. Seconds, times of day and the place of the landing may differ.
With GOLDWORKS_WRITE_DOCS=1 answers that have changed are written into the page instead; look at them in the diff.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest

from data_ingestion.cli.commands import main

BLOCK = re.compile(r"(?<=<!-- run -->\n)```(yaml|sql|python|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Step:
    """A file to write (`command` is its path), a program, or a command and the answer that the page promises."""

    kind: str
    command: str
    text: str


def steps_of(page: str) -> Iterator[Step]:
    """What a page asks its reader to do, in its order."""
    for kind, body in BLOCK.findall(page):
        if kind != "console":
            yield Step(kind, body.split("\n", 1)[0].removeprefix("# ").removeprefix("-- "), body)
            continue
        for part in re.split(r"^(?=\$ )", body, flags=re.MULTILINE)[1:]:
            command, _, answer = part.partition("\n")
            yield Step(kind, command.removeprefix("$ "), answer)


class Reader:
    """Somebody who follows a page in a folder of their own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder, self.environment, self.status = folder, environment, 0

    def follow(self, step: Step) -> str:
        """What the machine answers, as a page shows it."""
        if step.kind in ("yaml", "sql"):
            path = self.folder / step.command
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            return step.text
        if step.kind == "python":
            with redirect_stdout(StringIO()):
                exec(compile(step.text, "snippet", "exec"), {})
            return step.text
        answer = self._goldworks(step.command) if step.command.startswith("goldworks ") else self._shell(step)
        shown = answer.replace(str(self.folder.resolve()), "/data")
        shown = shown.replace(self.environment["PGDATABASE"], "warehouse")
        return "".join(line.rstrip() + "\n" for line in shown.rstrip("\n").splitlines())

    def _goldworks(self, command: str) -> str:
        """In this process: a new one a command would cost a second each."""
        said = StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            try:
                main(command.split()[1:])
                self.status = 0
            except SystemExit as end:
                self.status = int(end.code or 0)
        if command.startswith("goldworks samples"):
            self._deliver_in_order(re.findall(r"^sample +(\S+)", said.getvalue(), re.MULTILINE))
        return said.getvalue()

    def _deliver_in_order(self, keys: list[str]) -> None:
        """A second between two files: on a fast machine they would be of one instant, and sorted by their names."""
        for second, key in enumerate(keys):
            path, delivered_at = self.folder / "landing" / key, 1_790_000_000 + second
            if key.endswith("/…"):  # many files of one domain, whose order does not show
                continue
            if path.stat().st_mtime != delivered_at:  # one that was there before has not been delivered again
                os.utime(path, (delivered_at, delivered_at))

    def _shell(self, step: Step) -> str:
        command = step.command.replace("$?", str(self.status))
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, env={**self.environment},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
        )  # fmt: skip
        self.status = done.returncode
        return done.stdout


def comparable(answer: str) -> str:
    """An answer without what differs from run to run: seconds, times of day, and blanks at the ends of lines."""
    text = re.sub(r"\x1b\[\d*m", "", answer)
    text = re.sub(r"^\d\d:\d\d:\d\d  ", "", text, flags=re.MULTILINE)  # dbt's clock
    text = re.sub(r"\b\d+\.\d s\b", "… s", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d)?", "…", text)
    text = re.sub(r"\b(loaded|failed) +\d+\.\d\b", r"\1 …", text)
    text = re.sub(r'"(seconds|etag|ledger_etag)": .*', r'"\1": …', text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def is_as_promised(answer: str, promised: str) -> bool:
    """Whether an answer is the one on the page."""
    parts = re.split(r"^…$", comparable(promised), flags=re.MULTILINE)
    return re.fullmatch(".*".join(map(re.escape, parts)), comparable(answer), re.DOTALL) is not None


def follow_page(path: Path, reader: Reader, *, write: bool) -> None:
    """Does what the page says; fails at the first answer that is not the one on the page."""
    page, place = path.read_text(encoding="utf-8"), 0
    for step in steps_of(page):
        answer = reader.follow(step)
        asked = f"$ {step.command}\n" if step.kind == "console" else ""
        place = page.index(asked + step.text, place) + len(asked)
        if is_as_promised(answer, step.text):
            continue
        if not write:
            pytest.fail(
                f"{path.name}: $ {step.command}\nsays now:\n{answer}\nthe page:\n{step.text}", pytrace=False
            )
        page = page[:place] + answer + page[place + len(step.text) :]
    if write:
        path.write_text(page, encoding="utf-8")
        sys.stderr.write(f"{path}: written\n")
