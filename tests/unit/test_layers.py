"""Layers: no part of the loader needs one that needs it, and none knows of the tools around it."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "data_ingestion").rglob("*.py"))
AROUND = {"airflow", "cosmos", "dbt", "superset", "goldworks_dags", "runtime", "bench", "tests"}


class Imports(ast.NodeVisitor):
    """What a module imports when it runs, at its top or within a function; types alone are no need."""

    def __init__(self, file: Path) -> None:
        self.found: set[str] = set()
        self.visit(ast.parse(file.read_text(encoding="utf-8")))

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        self.found |= {alias.name for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        assert node.module and node.level == 0
        self.found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}


def part_of(module: str) -> str:
    """The package or module right under `data_ingestion`."""
    return [*module.split("."), ""][1]


def test_parts_of_the_loader_can_be_read_in_one_order():
    needs: dict[str, set[str]] = {}
    for file in FILES:
        part = part_of(".".join(file.relative_to(ROOT).with_suffix("").parts))
        used = {part_of(name) for name in Imports(file).found if name.startswith("data_ingestion.")}
        needs.setdefault(part, set()).update(used - {part})
    order = list(TopologicalSorter(needs).static_order())
    assert order.index("engine") < order.index("ledger") < order.index("merge") < order.index("warehouses")
    assert order.index("warehouses") < order.index("app") < order.index("cli")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_the_loader_knows_nothing_of_what_is_around_it(file):
    assert {name.partition(".")[0] for name in Imports(file).found} & AROUND == set()
