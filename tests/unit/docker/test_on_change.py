"""on_change: a command follows the sources that it is made from, and not what it writes beside them."""

import importlib.util
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest


class Enough(Exception):
    """Ends what would look for changes for ever."""


@pytest.fixture
def on_change(scripts: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("on_change", scripts / "on_change.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "dbt"
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "a.sql").write_text("select 1")
    return folder


def test_a_new_a_changed_and_a_removed_file_are_changes(on_change: ModuleType, models: Path) -> None:
    file = models / "models" / "a.sql"
    seen = [on_change.look([str(models)])]
    (models / "b.sql").write_text("select 2")
    seen.append(on_change.look([str(models)]))
    status = file.stat()
    file.write_text("select 3")  # of the same size
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    seen.append(on_change.look([str(models)]))
    file.unlink()
    seen.append(on_change.look([str(models)]))
    assert all(before != after for before, after in pairwise(seen))
    assert set(seen[-1]) == {str(models / "b.sql")}


@pytest.mark.parametrize(
    "place", ["target/manifest.json", "logs/dbt.log", "macros/__pycache__/a.pyc", "models/empty/"]
)
def test_what_programs_write_beside_the_sources_is_no_change(
    on_change: ModuleType, models: Path, place: str
) -> None:
    before = on_change.look([str(models)])
    (models / place).parent.mkdir(parents=True, exist_ok=True)
    if place.endswith("/"):
        (models / place).mkdir()
    else:
        (models / place).write_text("x")
    assert on_change.look([str(models)]) == before


def test_a_project_below_a_folder_named_target_is_looked_at(on_change: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "target" / "dbt" / "a.sql"
    file.parent.mkdir(parents=True)
    file.write_text("select 1")
    assert list(on_change.look([str(file.parent)])) == [str(file)]


def test_a_link_to_nothing_is_passed_over(on_change: ModuleType, models: Path) -> None:
    before = on_change.look([str(models)])
    (models / "gone.sql").symlink_to(models / "nowhere")
    assert on_change.look([str(models)]) == before


@pytest.mark.parametrize(("exit_code", "told"), [(0, "done"), (3, "failed (3)")])
def test_the_command_runs_at_the_start_and_after_each_change_even_when_it_failed(
    on_change: ModuleType,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    exit_code: int,
    told: str,
) -> None:
    def no_change() -> None: ...

    def change() -> None:
        (models / "b.sql").write_text("select 2")

    def enough() -> None:
        raise Enough

    meanwhile: list[Callable[[], None]] = [no_change, change, enough]
    monkeypatch.setattr(on_change.time, "sleep", lambda _: meanwhile.pop(0)())
    command = [sys.executable, "-c", f"print('it ran', flush=True); raise SystemExit({exit_code})"]
    monkeypatch.setattr(sys, "argv", ["on_change.py", str(models), "--", *command])
    with pytest.raises(Enough):
        on_change.main()
    assert capfd.readouterr().out.splitlines() == [
        "changed: at the start",
        "it ran",
        told,
        f"changed: {models / 'b.sql'}",
        "it ran",
        told,
    ]
