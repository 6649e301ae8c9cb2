"""The programs in superset/ are run as scripts; a test imports them the way Python does for a script."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "superset"))


@pytest.fixture
def assets_copy(tmp_path: Path) -> Path:
    """A copy of the real assets that a test may spoil."""
    return shutil.copytree(ROOT / "superset" / "assets", tmp_path / "assets")


@pytest.fixture
def replace(assets_copy: Path) -> Callable[[str, str, str], None]:
    """Replace text in one file of the copy; a text that is not there is a fault of the test."""

    def replace_in(path: str, old: str, new: str) -> None:
        file = assets_copy / path
        content = file.read_text(encoding="utf-8")
        assert old in content, f"{path} no longer says {old!r}"
        file.write_text(content.replace(old, new), encoding="utf-8")

    return replace_in
