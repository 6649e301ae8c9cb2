"""Environments: what counts as whole, so that nothing is made twice and nothing half-made is used."""

from pathlib import Path

import pytest

from runtime import environments
from runtime.environments import ENVIRONMENTS, ensure_environments


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A home whose environment `dbt` is whole, as far as its stamp tells."""
    home = tmp_path / "home"
    place = home / "venvs" / "dbt"
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").touch()
    (place / "goldworks-stamp").write_text(environments._stamp(home, ENVIRONMENTS["dbt"]))
    return home


def test_a_whole_environment_is_left_alone(whole: Path) -> None:
    before = sorted(whole.rglob("*"))
    ensure_environments(whole, ["dbt"])
    assert sorted(whole.rglob("*")) == before


def test_another_home_may_link_to_it(whole: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "venvs").symlink_to(whole / "venvs")
    assert environments._is_whole(other, ENVIRONMENTS["dbt"])


def test_a_moved_one_is_made_anew(whole: Path, tmp_path: Path) -> None:
    moved = whole.rename(tmp_path / "moved")
    assert not environments._is_whole(moved, ENVIRONMENTS["dbt"])


def test_one_that_was_interrupted_is_made_anew(whole: Path) -> None:
    (whole / "venvs/dbt/goldworks-stamp").unlink()
    assert not environments._is_whole(whole, ENVIRONMENTS["dbt"])


def test_one_whose_python_was_uninstalled_is_made_anew(whole: Path) -> None:
    python = whole / "venvs/dbt/bin/python"
    python.unlink()
    python.symlink_to(whole / "gone")
    assert not environments._is_whole(whole, ENVIRONMENTS["dbt"])
