"""Docs: every link leads somewhere, every name that a page uses is one, and what pages show is what happens."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import typer

from data_ingestion.cli.commands import app
from tests.docs.snippets import Reader, follow_page, steps_of
from tests.integration.dbt_session import ENVIRONMENT, dbt_environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FOLLOWED = [page for page in PAGES if any(steps_of(page.read_text(encoding="utf-8")))]
WRITES = os.environ.get("GOLDWORKS_WRITE_DOCS") == "1"
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
        "GOLDWORKS_WAREHOUSE_URL": warehouse_url,
        "GOLDWORKS_LANDING_URL": "landing", "GOLDWORKS_CONTRACTS": "contracts",
        "PGHOST": server.hostname, "PGPORT": str(server.port), "PGUSER": server.username, "PGPASSWORD": server.password,
        "PGDATABASE": server.path.strip("/"), "PATH": f"{postgres.binaries}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Reader(tmp_path, os.environ)


@pytest.fixture
def cloned(reader: Reader, postgres, warehouse_database: str, monkeypatch: pytest.MonkeyPatch) -> Reader:
    """The same in a copy of the parts that a new dataset touches, with `dbt` and `make generate`.

    The Makefile itself would make environments of its own for a copy.
    """
    for part in ("dbt", "superset"):
        shutil.copytree(ROOT / part, reader.folder / part, ignore=shutil.ignore_patterns("target", "logs"))
    programs = reader.folder / "bin"
    programs.mkdir()
    (programs / "make").write_text(
        "#!/bin/sh\n"
        f'[ "$*" = generate ] && {sys.executable} dbt/generate.py && {sys.executable} superset/describe.py\n'
    )
    (programs / "make").chmod(0o755)
    (programs / "dbt").symlink_to(ENVIRONMENT / "bin" / "dbt")
    settings = dbt_environment(postgres, warehouse_database, reader.folder, "dev")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DBT_PROJECT_DIR", str(reader.folder / "dbt"))
    monkeypatch.setenv("DBT_PROFILES_DIR", str(reader.folder / "dbt"))
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return reader


def test_the_guide_to_a_new_dataset_works_to_its_last_file(cloned: Reader):
    """Its chart is looked at by tests/e2e/test_the_guide.py, which has a Superset."""
    follow_page(EXAMPLE, cloned, write=WRITES)
    checked = subprocess.run(
        [sys.executable, "superset/check_assets.py"], cwd=cloned.folder, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("page", [page for page in FOLLOWED if page != EXAMPLE], ids=name_of)
def test_what_a_page_shows_is_what_happens(page: Path, reader: Reader):
    if page.parent.name == "concepts":  # they go on with the dataset of the guide
        shutil.rmtree("contracts")
        reader.follow(next(steps_of(EXAMPLE.read_text(encoding="utf-8"))))
    follow_page(page, reader, write=WRITES)


def without_code(text: str) -> str:
    return FENCED.sub("", text)


def anchors(page: Path) -> set[str]:
    """The anchors of a page as a renderer makes them of its headings, and those set by hand."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", without_code(text), re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


def links(page: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:", link):
            yield unquote(link)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path):
    for link in links(page):
        target, _, anchor = link.partition("#")
        place = (page.parent / target).resolve() if target else page
        assert place.exists(), f"{link}: there is no such file"
        assert place.is_relative_to(ROOT), f"{link}: leads out of the repository"
        if anchor:
            assert anchor in anchors(place), f"{link}: {place.name} has no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_an_install_after_which_samples_are_written_has_them(page: Path):
    """They belong to the checkout, which only an editable install leads to."""
    text = page.read_text(encoding="utf-8")
    if re.search(r"^\$ goldworks (samples|traffic)", text, re.MULTILINE):
        installs = re.findall(r"pip install .*?(?:&&|$)", text, re.MULTILINE)
        of_checkout = [one for one in installs if re.search(r"(^| )'?\.(\[|'|\s|$)", one)]
        assert all("--editable" in one for one in of_checkout), of_checkout


def test_every_page_can_be_found_from_the_index():
    index = ROOT / "docs/index.md"
    linked = {(index.parent / link.partition("#")[0]).resolve() for link in links(index)}
    missing = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - linked - {index}
    assert not missing


def commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command of `goldworks` by its words."""
    for name, command in group.commands.items():
        words = f"{path} {name}".strip()
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                yield words, command
            yield from commands(command, words)
        else:
            yield words, command


COMMANDS = dict(commands(typer.main.get_command(app)))
CLI_PAGE = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")


def options(command: Any) -> set[str]:
    return {
        name for option in command.params for name in (*option.opts, *option.secondary_opts) if name.startswith("--")
    } - {"--help"}  # fmt: skip


def section(command: str) -> str:
    """What the page says of a command; `quarantine show` is told of under `quarantine`."""
    for heading in (command, command.split()[0]):
        found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", CLI_PAGE, re.MULTILINE | re.DOTALL)
        if found:
            return without_code(found[1])
    return ""


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command: str):
    told = section(command)
    assert told, f"docs/reference/cli.md has no section '{command}'"
    assert command in CLI_PAGE
    missing = {option for option in options(COMMANDS[command]) if not re.search(rf"`{option}[ `]", told)}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_option_on_a_page_exists(page: Path):
    text = page.read_text(encoding="utf-8")
    for words in re.findall(r"(?:^\$ |`|^)goldworks ([a-z][^`\n|>#…]*)", text, re.MULTILINE):
        named = words.split()
        command = " ".join(named[:2]) if " ".join(named[:2]) in COMMANDS else named[0]
        assert command in COMMANDS, f"`goldworks {words}`: there is no such command"
        unknown = {word for word in named if word.startswith("--")} - options(COMMANDS[command])
        assert not unknown, f"`goldworks {words}`: no such option"
    everything = set().union(*map(options, COMMANDS.values()))
    if page.name == "cli.md":
        assert set(re.findall(r"`(--[a-z-]+)", text)) - {"--help"} <= everything


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_on_a_page_exists(page: Path):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    for words in re.findall(r"(?:`|^)make ((?:[a-z][a-z-]*[ `]?)+)", text, re.MULTILINE):
        code = words.split("`")[0].split()
        assert set(code) <= targets, f"`make {' '.join(code)}`: no such target"


def test_every_variable_is_documented():
    """Those of .env.example, and those that a part reads from its environment by name."""
    asked = [
        (".env.example", r"^#? ?([A-Z][A-Z0-9_]+)="),
        ("superset/superset_config.py", r"(?:environ\.get|_required)\(\"([A-Z_]+)\""),
        ("dbt/profiles.yml", r"env_var\('([A-Z_]+)'"),
        ("data_ingestion/settings.py", r"\"(GOLDWORKS_[A-Z_]+)\""),
        ("runtime/settings.py", r"environ\.get\(\"(GOLDWORKS_[A-Z_]+)\""),
        ("runtime/postgres_binaries.py", r"environ\.get\(\"([A-Z_]+)\""),
        *(
            (path.relative_to(ROOT).as_posix(), r"environ(?:\.get\(|\[)\"([A-Z_]+)\"")
            for path in (ROOT / "airflow/dags").rglob("*.py")
        ),
    ]
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    for file, pattern in asked:
        names = set(re.findall(pattern, (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)) - {"USER"}
        assert not {name for name in names if f"`{name}`" not in page}, (
            f"{file} reads what settings.md does not name"
        )


def test_every_reason_for_quarantine_is_explained():
    reasons = set()
    for path in (ROOT / "data_ingestion/checks/cells.py", ROOT / "data_ingestion/reading/faults.py"):
        text = path.read_text(encoding="utf-8")
        reasons |= set(
            re.findall(r'^\s+"((?:not|too|out|nul)_[a-z_]+|missing|pattern)",$', text, re.MULTILINE)
        )
        reasons |= set(re.findall(r'"(nul_byte|missing|not_[a-z_]+|out_of_[a-z]+|too_[a-z]+)",', text))
    listed = re.search(
        r"codes:\n(.*?)\.\n", (ROOT / "data_ingestion/reading/faults.py").read_text(), re.DOTALL
    )
    assert listed
    reasons |= set(re.findall(r"\b[a-z]+_[a-z0-9_]+\b", listed[1]))
    page = (ROOT / "docs/runbooks/quarantine.md").read_text(encoding="utf-8")
    assert len(reasons) > 15
    assert not {reason for reason in reasons if f"`{reason}`" not in page}


def test_the_tables_page_knows_every_table_and_column(postgres, warehouse_url):
    import psycopg

    from data_ingestion.warehouses import open_warehouse

    opened = open_warehouse(warehouse_url)
    opened.migrate()
    opened.close()
    page = (ROOT / "docs/reference/tables.md").read_text(encoding="utf-8")
    with psycopg.connect(warehouse_url) as connection:
        columns = connection.execute(
            "select table_name, column_name, data_type from information_schema.columns where table_schema = 'ops'"
        ).fetchall()
    for table, column, _ in columns:
        found = re.search(rf"^## ops\.{table}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert found, f"ops.{table} is not on the page"
        assert f"`{column}`" in found[1], f"ops.{table}.{column} is not on the page"
