"""What mypy is given to read: all Python but the tests, in `make lint` and before a commit."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OTHERS = ("tests", "var")


@pytest.fixture(scope="module")
def product() -> list[str]:
    folders = [
        path
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in OTHERS
    ]
    return [str(file.relative_to(ROOT)) for folder in folders for file in folder.rglob("*.py")]


def test_mypy_reads_every_file_of_the_product(product):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]

    assert settings["strict"]
    assert not [path for path in product if path.split("/")[0] not in settings["files"]]


def test_mypy_runs_before_a_commit_that_changes_any_of_them(product):
    repositories = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    [hook] = [hook for repository in repositories for hook in repository["hooks"] if hook["id"] == "mypy"]

    assert not [path for path in product if not re.search(hook["files"], path)]
