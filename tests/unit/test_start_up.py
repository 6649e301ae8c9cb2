"""Start-up: who asks for help does not wait for what only a load needs."""

import os
import subprocess
import sys

import pytest

FOR_A_WAREHOUSE = ("psycopg", "yaml", "data_ingestion.contract", "data_ingestion.warehouses.postgres")
OF_SAMPLES = ("goldworks_samples.domains", "goldworks_samples.bank")
FOR_A_FILE = ("pyarrow", "numpy", "pgpq", "boto3", "botocore", "openpyxl", "open_data_contract_standard")


def modules_after(*arguments: str, **environment: str) -> set[str]:
    """The names of all modules that a command has imported when it ends."""
    program = (
        "import sys\n"
        "from data_ingestion.cli.commands import main\n"
        "try:\n    main()\n"
        "finally:\n    print('\\nmodules:', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": ".", **environment}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("modules:")[2].split())


@pytest.mark.parametrize(
    "arguments", [("--help",), ("load", "--help"), ("quarantine", "show", "--help"), ("--version",)]
)
def test_help_imports_neither_drivers_nor_arrow_nor_what_writes_samples(arguments):
    assert modules_after(*arguments).isdisjoint((*FOR_A_WAREHOUSE, *FOR_A_FILE, *OF_SAMPLES))
