"""What `make demo` does beside a platform that runs already."""

from pathlib import Path

import pytest

from runtime import airflow, demo
from runtime.settings import load_settings
from runtime.stack import Stack


def test_airflow_never_sees_half_a_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack.of(load_settings(tmp_path))
    manifest = airflow.manifest(stack.settings)
    manifest.parent.mkdir(parents=True)
    manifest.write_text("of the run before")
    seen = []

    def parse(_: Stack, argv: list[str]) -> str:
        target = Path(argv[argv.index("--target-path") + 1])
        target.mkdir(exist_ok=True)
        for name in ("manifest.json", "partial_parse.msgpack"):
            (target / name).write_text("new")
        seen.append(manifest.read_text())
        return ""

    monkeypatch.setattr(demo, "run_tool", parse)
    assert demo.write_manifest(stack) == manifest
    assert (seen, manifest.read_text()) == (["of the run before"], "new")
    # Beside it lies what the first build of each domain starts with, and dbt keeps its own for the next time.
    assert manifest.with_name("partial_parse.msgpack").read_text() == "new"
    assert (manifest.parent / "parse" / "partial_parse.msgpack").exists()
