"""Reports: tables of gold as files and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import JsonOption, LandingOption, WarehouseOption
from data_ingestion.cli.session import open_ledger
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.faults import raise_all
from data_ingestion.settings import Settings, reports_folder

if TYPE_CHECKING:
    from data_ingestion.reports.definition import Report, ReportFolder


def report(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these reports. Default: all.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only list the reports.")] = False,
    landing: LandingOption = None, warehouse: WarehouseOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write reports on gold to the reports' folder: a page with plots, and a CSV file per table."""
    from data_ingestion.reports.definition import read_reports

    if not reports_folder().is_dir():
        raise OperatorFault(
            f"{reports_folder()}: not a folder\n  set GOLDWORKS_REPORTS to the folder of reports"
        )
    folder = read_reports(reports_folder())
    faults: list[Exception] = [] if names else [one.error for one in folder.faulty]
    if listed or not (folder.sound or faults or names or as_json):
        _say_reports(folder.sound, as_json)
        raise_all(faults)
        return
    chosen = _choose(folder, names)
    try:
        from data_ingestion.app.report import write_reports
    except ModuleNotFoundError as error:  # a loader alone has none of what plots need
        raise OperatorFault(
            f"reports need {error.name}, which is not installed\n"
            "  in a checkout of Goldworks: pip install --editable '.[reports]'"
        ) from error

    settings = Settings.from_environment(landing_url=landing, warehouse_url=warehouse)
    written = []
    with open_ledger(settings.warehouse_url) as opened:
        for done in write_reports(settings, opened, chosen, faults):
            written.append(done)
            if not as_json:
                output.say("report", f"{done.place}  {done.rows:,} rows in {len(done.report.tables)} tables")
    if as_json:
        output.say_json([
            {"domain": done.report.domain, "report": done.report.name, "page": done.place, "rows": done.rows}
            for done in written
        ])  # fmt: skip
    raise_all(faults)


def _choose(folder: ReportFolder, names: list[str] | None) -> list[Report]:
    by_name = {one.name: one for one in folder.sound}
    for name in names or ():
        if name not in by_name:
            for faulty in folder.faulty:
                if faulty.name == name:
                    raise faulty.error
            raise ContractFault(
                f"no report '{name}' in {reports_folder()}\n  it holds {', '.join(sorted(by_name)) or 'none'}"
            )
    return [by_name[name] for name in names] if names else list(folder.sound)


def _say_reports(known: tuple[Report, ...], as_json: bool) -> None:
    rows = [
        {"report": one.name, "domain": one.domain, "tables": len(one.tables), "title": one.title}
        for one in known
    ]
    if as_json:
        output.say_json(rows)
        return
    columns = {"report": "report", "domain": "domain", "tables": "tables", "title": "title"}
    output.say_table(rows, columns, f"no reports in {reports_folder()}")
