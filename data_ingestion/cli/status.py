"""Status: what the warehouse holds, and how the newest loads went."""

from __future__ import annotations

from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import DatasetOption, JsonOption, WarehouseOption
from data_ingestion.cli.session import open_ledger, or_all, refuse_unknown


def status(
    warehouse: WarehouseOption = None, dataset: DatasetOption = None, as_json: JsonOption = False,
    limit: Annotated[int, typer.Option("--loads", metavar="N", min=0, help="Loads to list.")] = 15,
) -> None:  # fmt: skip
    """Show what the warehouse holds, and how the newest loads went."""
    with open_ledger(warehouse) as session:
        summary = session.summary()
        refuse_unknown(dataset, summary)
        chosen = [row for row in summary if not dataset or row["dataset"] in dataset]
        loads = [row for name in or_all(dataset) for row in session.loads(name, limit)]
        withdrawn = [key for name in or_all(dataset) for key in session.withdrawn(name)]
        unresolved = session.unresolved()
        held = [row for name in or_all(dataset) for row in session.held(name)]
        findings = [row for name in or_all(dataset) for row in session.open_findings(name)]
        faults = [row for row in session.faults() if not dataset or row["dataset"] in dataset]
    if as_json:
        output.say_json({
            "datasets": chosen, "loads": loads, "withdrawn": withdrawn, "unresolved": unresolved, "held": held,
            "findings": findings, "faults": faults,
        })  # fmt: skip
        return
    output.say_table(chosen, {
        "dataset": "dataset", "raw_rows": "rows in raw", "objects": "objects", "drops": "drops",
        "not_loaded": "not loaded", "withdrawn": "withdrawn", "open_quarantine": "quarantined",
        "last_load_id": "last load", "last_loaded_at": "at (UTC)",
    }, "nothing was loaded yet")  # fmt: skip
    if loads:
        from data_ingestion.cli.lines import describe_load

        output.say_line()
        rows = [{**row, "rows": describe_load(row)} for row in loads]
        output.say_table(rows, {
            "load_id": "load", "object_key": "object", "kind": "kind", "state": "state", "seconds": "s", "rows": "rows",
        }, "")  # fmt: skip
    output.say_held(held)
    for row in findings:
        output.say("finding", row["message"], "yellow")
    for key in withdrawn:
        output.say("withdrawn", f"{key}  not loaded until its bytes change, or `goldworks withdraw --undo`")
    output.say_unresolved(unresolved)
    for row in faults:
        output.say("faulty", f"{row['dataset']}  not loaded: {row['fault']}", "bold red")
