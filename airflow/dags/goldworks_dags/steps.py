"""Steps: what the tasks of a domain do, in the order in which they do it.

The loader is imported inside them, because every task and every parse of the DAGs would wait for it otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from goldworks_dags.assets import gold_asset, raw_asset, raw_of
from goldworks_dags.batches import DROPS_A_RUN, Ticket, cut, pack, ticket, unpack
from goldworks_dags.domain import Domain, contracts_folder, manifest_file, reports_folder
from goldworks_dags.form import choice_of
from goldworks_dags.lines import LoadLines
from goldworks_dags.logins import source_url, warehouse_url

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.landing import Landing
    from data_ingestion.ledger import LoadReport
    from data_ingestion.plan import PlannedDrop
    from data_ingestion.settings import Settings
    from data_ingestion.warehouses.base import Warehouse

log = logging.getLogger(__name__)

# Lines of one kind that a task's log shows.
TOLD = 200


def make_ledger() -> None:
    """Makes the ledger's tables where nobody has loaded anything yet: models look at them."""
    with _at_work():
        pass


def capture(domain: Domain) -> dict[str, int]:
    """Writes what has changed at the sources to the landing; tells the number of changes by dataset.

    A source that can't be captured fails the task when all others have been.
    """
    from data_ingestion.capture.faults import Faults, SourceBusy
    from data_ingestion.events import send_to
    from data_ingestion.landing import open_landing
    from data_ingestion.settings import Settings, log_target

    send_to(log_target(), into_log=True)
    urls = {one.dataset: source_url(one.capture.source) for one in domain.captured if one.capture}
    if not any(urls.values()):
        missing = " ".join(sorted({f"source_{one.capture.source}" for one in domain.captured if one.capture}))
        raise AirflowSkipException(f"nothing is captured: no connection {missing}")
    landing = open_landing(Settings.from_environment(warehouse_url="unused").landing_url)
    counts: dict[str, int] = {}
    faults = Faults()
    for contract in domain.captured:
        if (url := urls[contract.dataset]) is None:
            log.warning("%s: nothing is captured, its source has no connection", contract.dataset)
            continue
        with faults.of(contract.dataset):
            try:
                counts[contract.dataset] = _capture_one(contract, url, landing)
            except SourceBusy as busy:
                log.info("%s: %s", contract.dataset, busy)
    faults.raise_found()
    return counts


def _capture_one(contract: Contract, url: str, landing: Landing) -> int:
    from data_ingestion.capture.reader import capture as bring
    from data_ingestion.capture.source import open_source

    with open_source(contract, url) as source:
        report = bring(source, landing, contract.capture_folder)
    for note in report.notes:
        log.info("%s: %s", contract.dataset, note)
    for alarm in report.alarms:
        log.error("%s: %s", contract.dataset, alarm)
    log.info("%s: %d changes in %d drops", contract.dataset, report.changes, report.drops)
    return report.changes


def discover(domain: Domain, context: Mapping[str, Any]) -> list[Ticket]:
    """Looks at the landing and plans what to load: a ticket for each batch, which waits as a message of its own."""
    from data_ingestion.contract import read_contracts
    from data_ingestion.discovery import discover as look

    params = context["params"]
    everyone = read_contracts(contracts_folder())
    chosen = [one for one in domain.contracts if not params["datasets"] or one.dataset in params["datasets"]]
    others = [one for one in everyone if one.dataset not in {mine.dataset for mine in chosen}]
    with _at_work() as at:
        if lost := at.warehouse.abandon_lost_attempts():
            log.warning("%d earlier loads were cut off; what they had begun was rolled back", lost)
        found = look(
            chosen,
            at.landing,
            at.warehouse,
            choice_of(params),
            neighbours=others,
            full=params["full_listing"] or params["full_refresh"],
            reserved=at.settings.reserved,
        )
        for plan in found.plans:
            log.info(
                "%s: %d to load, %d known, on %s", plan.dataset, len(plan.drops), plan.known, at.landing.url
            )
        _tell_some([_told_drop(drop) for drop in found.drops], logging.INFO, "drops to load")
        left_alone = [
            f"{item.object.key}: left alone ({item.reason})" for plan in found.plans for item in plan.left
        ]
        _tell_some(left_alone, logging.INFO, "objects left alone")
        unresolved = [f"{item.key}: unresolved, no contract matches it" for item in found.unresolved]
        _tell_some(unresolved, logging.WARNING, "unresolved objects")
    if (left := len(found.drops) - DROPS_A_RUN) > 0:
        log.warning("%d drops are left to the next run: one takes %d at most", left, DROPS_A_RUN)
    batches = cut(found.drops[:DROPS_A_RUN])
    tickets = [ticket(number, batch) for number, batch in enumerate(batches)]
    for batch, its in zip(batches, tickets, strict=True):
        context["ti"].xcom_push(key=its["message"], value=pack(batch))
    return tickets


def load(domain: Domain, its: Ticket, context: Mapping[str, Any]) -> dict[str, int]:
    """Brings the drops of a batch in, each exactly once; fails at its end if some could not be.

    A drop that its contract refuses would be refused again, so this is not retried. After an error that nobody
    foresaw (a lost connection, say) it is, and finds what is in already.
    """
    context["batch"] = its["name"]  # type: ignore[index]
    drops = unpack(context["ti"].xcom_pull(task_ids="discover", key=its["message"]))
    reports: list[LoadReport] = []
    surprise: Exception | None = None
    for contract in domain.contracts:
        if mine := [drop for drop in drops if drop.dataset == contract.dataset]:
            lines = LoadLines(log)
            try:
                for report in _brought_in(contract, mine):
                    lines.add(report)
                    reports.append(report)
            except Exception as error:  # a fault of one dataset must not keep the drops of another out
                log.exception("%s: not all of %d drops are in", contract.dataset, len(mine))
                surprise = surprise or error
            finally:
                lines.end()
    refused = [report for report in reports if report.state == "failed"]
    message = (
        f"{len(drops) - len(reports) + len(refused)} of {len(drops)} drops failed; the others are in. First: "
    )
    if surprise:
        raise RuntimeError(f"{message}{surprise}") from surprise
    if refused:
        raise AirflowFailException(f"{message}{refused[0].error}")
    return {"drops": len(reports), "rows_read": sum(report.fates.read for report in reports)}


def archive(domain: Domain) -> dict[str, int]:
    """Copies the records of what was loaded into the lake; what an earlier run left over, too."""
    from data_ingestion.lake.archive import archive as copy
    from data_ingestion.landing import open_store

    done = {"drops": 0, "records": 0}
    with _at_work() as at:
        lake = open_store(at.settings.lake)
        for contract in domain.archived:
            at.warehouse.prepare(contract)
            report = copy(contract, at.landing, lake, at.warehouse.lake)
            log.info(
                "%s: %d drops, %d records in %d files of %s, %.1f s", contract.dataset, report.drops,
                report.records, report.files, lake.url, report.seconds,
            )  # fmt: skip
            if report.missed:
                log.warning(
                    "%s: %d drops were gone before they were archived", contract.dataset, report.missed
                )
            done = {"drops": done["drops"] + report.drops, "records": done["records"] + report.records}
    return done


def compact(domain: Domain) -> None:
    """Puts the lake's small files of a day together, once the day is over or has many."""
    from data_ingestion.lake.compaction import compact as join
    from data_ingestion.landing import open_store

    with _at_work() as at:
        lake = open_store(at.settings.lake)
        for contract in domain.archived:
            report = join(contract.dataset, lake, at.warehouse.lake, patient=True)
            log.info(
                "%s: %d files before, %d after, %.1f s", contract.dataset, report.files_before,
                report.files_after, report.seconds,
            )  # fmt: skip


def gate(domain: Domain, params: Mapping[str, Any], outlet_events: Any) -> dict[str, Any]:
    """Tells which loads the domain's models, and its reports and profiles, do not include yet.

    The marks are read before dbt begins: a load that commits meanwhile is built twice rather than never. They come
    from the ledger, not from this run, so that what an earlier, failed run left over is built too.
    """
    from data_ingestion.events import tell

    with _at_work() as at:
        for contract in domain.contracts:
            at.warehouse.prepare(
                contract
            )  # the models read every raw table, also one that nothing was loaded into
        marks = dict(at.warehouse.unbuilt_datasets(domain.builder, domain.datasets))
        behind = {
            task: unwritten
            for task in domain.writers
            if (unwritten := dict(at.warehouse.unbuilt_datasets(domain.writer(task), domain.datasets)))
        }
    for dataset, load_id in sorted(marks.items()):
        log.info("%s: loads up to %d are not built yet", dataset, load_id)
        outlet_events[raw_of(domain)].add(raw_asset(dataset), extra={"load_id": load_id})
    tell("gate", domain=domain.name, unbuilt_datasets=len(marks), last_load=max(marks.values(), default=None))
    builds = bool(marks or params["full_refresh"])
    if not builds:
        log.info("nothing new: every load is built, dbt is skipped")
        for task in behind:
            log.info("%s: runs, its last try did not write what is built", task)
    return {"builds": builds, "marks": marks, "behind": behind}


def publish(domain: Domain, marks: Mapping[str, int], written: Mapping[str, int], outlet_events: Any) -> None:
    """Notes which loads have gone all the way, and tells the gold assets' readers."""
    from data_ingestion.events import tell

    with _at_work() as at:
        at.warehouse.record_build(domain.builder, marks)
    gold = domain.models.get("gold", ())
    rows = sum(written.get(model, 0) for model in gold)
    tell(
        "publish",
        domain=domain.name,
        models=len(gold),
        rows_written=rows,
        last_load=max(marks.values(), default=None),
    )
    for dataset, load_id in sorted(marks.items()):
        log.info("%s: published up to load %d", dataset, load_id)
    for model in domain.models.get("gold", ()):
        log.info("gold.%s: %s rows written", model, f"{written[model]:,}" if model in written else "unknown")
        outlet_events[gold_asset(model)].extra = {"rows_written": written.get(model), "loads": dict(marks)}


def report(domain: Domain, marks: Mapping[str, int]) -> list[str]:
    """Writes the domain's reports, and notes which loads are in them; tells where their pages are."""
    from data_ingestion.landing import open_store
    from data_ingestion.reports.definition import read_reports
    from data_ingestion.reports.report import write_report

    mine = [one for one in read_reports(reports_folder()) if one.domain == domain.name]
    with _at_work() as at:
        store = open_store(at.settings.reports)
        written = [write_report(one, at.warehouse, store) for one in mine]
        at.warehouse.record_build(domain.writer("report"), marks)
    for done in written:
        log.info("%s: %d rows in %d tables", done.place, done.rows, len(done.report.tables))
    return [done.place for done in written]


def profile(domain: Domain, marks: Mapping[str, int]) -> dict[str, int]:
    """Counts what raw and the models hold now, where it has changed, and writes the domain's page of it.

    Then it notes which loads are counted.
    """
    from data_ingestion.landing import open_store
    from data_ingestion.profiles.profile import profile as count
    from data_ingestion.profiles.profile import read_manifest, write_page
    from data_ingestion.profiles.relations import relations_of

    relations = relations_of(domain.contracts, read_manifest(manifest_file()))
    with _at_work() as at:
        done = count(relations, at.warehouse.profiles)
        for one in done:
            if one.profile is None:
                log.warning("%s: not there, or not for this login to read", one.relation.told)
            elif one.is_new:
                log.info("%s: %d rows, %.1f s", one.relation.told, one.profile.rows, one.profile.seconds)
        place = write_page(domain.name, relations, at.warehouse.profiles, open_store(at.settings.reports))
        at.warehouse.record_build(domain.writer("profile"), marks)
    log.info("page: %s", place)
    return {"profiled": sum(one.is_new for one in done), "relations": len(done)}


@dataclass(frozen=True)
class _Place:
    settings: Settings
    landing: Landing
    warehouse: Warehouse


@contextmanager
def _at_work() -> Iterator[_Place]:
    """The landing that the environment names and the warehouse of the connection, its ledger at this version."""
    from data_ingestion.events import send_to
    from data_ingestion.landing import open_landing
    from data_ingestion.settings import Settings, log_target
    from data_ingestion.warehouses import open_warehouse

    send_to(log_target(), into_log=True)
    settings = Settings.from_environment(warehouse_url=warehouse_url())
    landing = open_landing(settings.landing_url)
    warehouse = open_warehouse(settings.warehouse_url)
    try:
        warehouse.migrate()
        yield _Place(settings, landing, warehouse)
    finally:
        warehouse.close()


def _brought_in(contract: Contract, drops: Sequence[PlannedDrop]) -> Iterator[LoadReport]:
    """The reports of a dataset's drops as they come; raises when all have been tried and one met an unforeseen error.

    In a session of its own: what broke another one is no reason to miss these.
    """
    from data_ingestion.load import load_drops

    with _at_work() as at:
        yield from load_drops(contract, at.landing, at.warehouse, drops)


def _told_drop(drop: PlannedDrop) -> str:
    return f"{drop.object.key}: {drop.kind} ({drop.reason}), {drop.object.size:,} bytes"


def _tell_some(lines: Sequence[str], level: int, what: str) -> None:
    """The first of many lines: a log of a hundred thousand is read by nobody."""
    for line in lines[:TOLD]:
        log.log(level, "%s", line)
    if len(lines) > TOLD:
        log.log(level, "… and %d more %s; `goldworks plan` lists all", len(lines) - TOLD, what)
