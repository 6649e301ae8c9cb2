"""Reports: tables of gold as files and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import JsonOption, LandingOption, WarehouseOption
from data_ingestion.cli.session import open_ledger
from data_ingestion.errors import ContractFault, OperatorFault
from data_ingestion.settings import Settings, reports_folder

if TYPE_CHECKING:
    from data_ingestion.reports.definition import Report


def report(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Only these reports; none named: all.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="Only tell which reports there are.")] = False,
    landing: LandingOption = None, warehouse: WarehouseOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Write reports on gold: a page with plots and a CSV file a table, to the reports' folder."""
    from data_ingestion.reports.definition import read_reports

    if not reports_folder().is_dir():
        raise OperatorFault(f"{reports_folder()}: is no folder\n  say where reports are by GOLDWORKS_REPORTS")
    known = read_reports(reports_folder())
    if listed or not (known or names or as_json):
        _tell(known, as_json)
        return
    chosen = _choose(known, names)
    from data_ingestion.landing import open_store

    try:
        from data_ingestion.reports.report import write_report
    except ModuleNotFoundError as error:  # a loader alone has none of what plots need
        raise OperatorFault(
            f"reports need {error.name}, which is not installed\n"
            "  in a checkout of Goldworks: pip install '.[reports]'"
        ) from error

    settings = Settings.from_environment(landing_url=landing, warehouse_url=warehouse)
    store = open_store(settings.reports)
    with open_ledger(settings.warehouse_url) as session:
        written = []
        for one in chosen:
            done = write_report(one, session, store)
            written.append(done)
            if not as_json:
                output.say("report", f"{done.place}  {done.rows:,} rows in {len(one.tables)} tables")
    if as_json:
        output.say_json([
            {"domain": done.report.domain, "report": done.report.name, "page": done.place, "rows": done.rows}
            for done in written
        ])  # fmt: skip


def _choose(known: tuple[Report, ...], names: list[str] | None) -> list[Report]:
    by_name = {one.name: one for one in known}
    for name in names or ():
        if name not in by_name:
            raise ContractFault(
                f"no report '{name}' in {reports_folder()}\n  it holds {', '.join(sorted(by_name)) or 'none'}"
            )
    return [by_name[name] for name in names] if names else list(known)


def _tell(known: tuple[Report, ...], as_json: bool) -> None:
    rows = [
        {"report": one.name, "domain": one.domain, "tables": len(one.tables), "title": one.title}
        for one in known
    ]
    if as_json:
        output.say_json(rows)
        return
    columns = {"report": "report", "domain": "domain", "tables": "tables", "title": "title"}
    output.say_table(rows, columns, f"no reports in {reports_folder()}")
