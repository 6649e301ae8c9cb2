"""`goldworks report` before it asks anybody: which reports there are, and what it needs to write them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_PANDAS = (
    "import sys; sys.modules['pandas'] = None; from data_ingestion.cli.commands import main; main()"
)


def report(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    settings = {
        "GOLDWORKS_REPORTS": str(folder), "GOLDWORKS_LANDING_URL": str(folder), "COLUMNS": "200",
        "GOLDWORKS_WAREHOUSE_URL": "postgresql://nobody@127.0.0.1:1/none",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_PANDAS, "report", *arguments],
        env={**os.environ, **settings}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_loader_without_what_plots_need_says_what_to_install() -> None:
    done = report(Path("reports").absolute(), "open_orders")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(
        "error: reports need pandas, which is not installed\n  in a checkout of Goldworks: pip install"
    )


@pytest.mark.parametrize("arguments", [(), ("--list",)])
def test_a_folder_that_is_not_there_holds_not_just_no_reports(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = report(tmp_path / "reprots", *arguments)
    assert (done.returncode, done.stdout) == (5, "")
    assert "not a folder\n  set GOLDWORKS_REPORTS to the folder of reports" in done.stderr


def test_where_there_are_no_reports_it_is_said(tmp_path: Path) -> None:
    done = report(tmp_path)
    assert (done.returncode, done.stdout) == (0, f"no reports in {tmp_path}\n")
