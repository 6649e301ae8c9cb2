"""slim: what no program runs is gone, and all else is still there."""

import subprocess
from pathlib import Path


def slimmed(root: Path, script: Path, files: list[str]) -> set[str]:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    subprocess.run(["bash", script, root], check=True)
    return {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}


def test_test_suites_and_what_one_compiles_against_are_taken_out(tmp_path: Path, scripts: Path) -> None:
    packages = "dbt/lib/python3.11/site-packages"
    stays = [
        f"{packages}/pandas/__init__.py",
        f"{packages}/pandas/core.so",
        f"{packages}/pandas/testing/test_data.py",  # a part of what it offers
        f"{packages}/airflow/tests/__init__.py",  # a module of that name is no suite
        f"{packages}/airflow/tests/operators.py",
        f"{packages}/pyarrow/lib.so",
        f"{packages}/numpy/include/numpy.h",
        "dbt/lib/python3.11/tests/test_of_ours.py",  # of no package
        "dbt/bin/dbt",
    ]
    goes = [
        f"{packages}/pandas/tests/__init__.py",
        f"{packages}/pandas/tests/test_frame.py",
        f"{packages}/pandas/tests/tests/test_within.py",
        f"{packages}/pandas/tests/frame/data.csv",
        f"{packages}/pyarrow/include/arrow/api.h",
        f"{packages}/pandas/_libs/algos.pyx",
        f"{packages}/pandas/_libs/algos.pxd",
        f"{packages}/numpy/random/lib/libnpyrandom.a",
        f"{packages}/a package/tests/test_a.py",
    ]
    assert slimmed(tmp_path, scripts / "slim", stays + goes) == set(stays)


def test_environments_with_nothing_to_take_out_stay_as_they_are(tmp_path: Path, scripts: Path) -> None:
    files = ["s3/lib/python3.11/site-packages/ministack/app.py"]
    assert slimmed(tmp_path, scripts / "slim", files) == set(files)
