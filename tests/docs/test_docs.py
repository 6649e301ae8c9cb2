"""Docs: every link leads somewhere, every name that a page uses is one, and what pages show is what happens."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import typer
from click import Group

from data_ingestion.cli import app
from tests.docs.snippets import Reader, follow_page, steps_of

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLLOWED = [page for page in PAGES if any(steps_of(page.read_text(encoding="utf-8")))]
EXAMPLE = ROOT / "docs/guides/add_a_dataset.md"
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def reader(tmp_path, warehouse_url, postgres, monkeypatch) -> Reader:
    """A folder with an empty landing and our contracts, an empty warehouse, and `psql` as in `make env`."""
    (tmp_path / "landing").mkdir()
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    server = urlsplit(warehouse_url)
    settings = {
        "GOLDWORKS_WAREHOUSE_URL": warehouse_url, "GOLDWORKS_LANDING_URL": "landing", "GOLDWORKS_CONTRACTS": "contracts",
        "PGHOST": server.hostname, "PGPORT": str(server.port), "PGUSER": server.username, "PGPASSWORD": server.password,
        "PGDATABASE": server.path.strip("/"), "PATH": f"{postgres.binaries}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Reader(tmp_path, os.environ)


@pytest.mark.parametrize("page", FOLLOWED, ids=name_of)
def test_what_a_page_shows_is_what_happens(page: Path, reader: Reader):
    if page.parent.name == "concepts":  # they go on with the dataset of the guide
        shutil.rmtree("contracts")
        reader.follow(next(steps_of(EXAMPLE.read_text(encoding="utf-8"))))
    follow_page(page, reader, write=os.environ.get("GOLDWORKS_WRITE_DOCS") == "1")
