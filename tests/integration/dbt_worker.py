"""Run by dbt's own Python: one command a line of standard input, one answer a line of standard output.

The project is parsed once; started anew, every command would pay that again.
"""

import json
import os
import sys

from dbt.adapters.factory import FACTORY
from dbt.cli.main import dbtRunner

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)  # what dbt and its adapters print must not mix with the answers


def let_go_of_files() -> None:
    """A DuckDB file is one process's: between commands, tests look into it."""
    for adapter in FACTORY.adapters.values():
        if hasattr(adapter.connections, "close_all_connections"):
            adapter.connections.close_all_connections()


parsed = dbtRunner().invoke(["--quiet", "parse"])
print(json.dumps({"success": parsed.success, "error": str(parsed.exception or "")}), file=answers, flush=True)
for line in sys.stdin:
    done = dbtRunner(manifest=parsed.result).invoke(["--quiet", *json.loads(line)])
    nodes = {
        result.node.name: {
            "status": str(result.status),
            "message": result.message or "",
            "failures": result.failures,
        }
        for result in getattr(done.result, "results", ())
        if hasattr(result, "failures")
    }
    let_go_of_files()
    answer = {"success": done.success, "error": str(done.exception or ""), "nodes": nodes}
    print(json.dumps(answer), file=answers, flush=True)
