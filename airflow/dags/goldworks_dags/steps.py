"""Steps: what the tasks of a domain do, in the order in which they do it.

The loader is imported inside them, because every task and every parse of the DAGs would wait for it otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from goldworks_dags.assets import gold_asset, raw_asset, raw_of
from goldworks_dags.batches import DROPS_A_RUN, Ticket, cut, pack, ticket, unpack
from goldworks_dags.domain import Domain, contract_folder, manifest_file, reports_folder
from goldworks_dags.lines import LoadLines, log_discovery
from goldworks_dags.logins import source_url
from goldworks_dags.messages import collect_faults, leave_messages, leave_note
from goldworks_dags.platform import open_platform

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.ledger import LoadReport
    from data_ingestion.plan import Choice, PlannedDrop
    from data_ingestion.warehouses.base import Warehouse

log = logging.getLogger(__name__)


def make_ledger() -> None:
    """Creates the ledger's tables where nothing was loaded yet: models read them."""
    with open_platform():
        pass


def capture(domain: Domain, context: Mapping[str, Any]) -> dict[str, int]:
    """Writes what has changed at the sources to the landing; gives the number of changes by dataset.

    A source that can't be captured fails the task when all others have been.
    """
    _chosen(domain, context)
    from data_ingestion.app.capture import capture_datasets
    from data_ingestion.events import send_to
    from data_ingestion.landing import open_landing
    from data_ingestion.settings import Settings, log_target

    send_to(log_target(), into_log=True)
    urls = {one.dataset: source_url(one.capture.source) for one in domain.captured if one.capture}
    if not any(urls.values()):
        missing = " ".join(sorted({f"source_{one.capture.source}" for one in domain.captured if one.capture}))
        raise AirflowSkipException(f"nothing is captured: no Airflow connection {missing}")
    for dataset in (dataset for dataset, url in urls.items() if url is None):
        log.warning("%s: not captured, because its source has no Airflow connection", dataset)
    landing = open_landing(Settings.from_environment(warehouse_url="unused").landing_url)
    counts: dict[str, int] = {}
    for contract, report in capture_datasets(
        [contract for contract in domain.captured if urls[contract.dataset]],
        lambda contract: urls[contract.dataset] or "",
        landing,
        on_busy=lambda contract, busy: log.info("%s: %s", contract.dataset, busy),
    ):
        for note in report.notes:
            log.info("%s: %s", contract.dataset, note)
        for alarm in report.alarms:
            log.error("%s: %s", contract.dataset, alarm)
        log.info("%s: %d changes in %d drops", contract.dataset, report.changes, report.drops)
        counts[contract.dataset] = report.changes
    return counts


def discover(domain: Domain, context: Mapping[str, Any]) -> list[Ticket]:
    """Looks at the landing and plans what to load: a ticket for each batch, which waits as a message of its own."""
    from data_ingestion.discovery import discover as find_drops
    from data_ingestion.faults import faults_of_contracts

    params = context["params"]
    contracts, choice = _chosen(domain, context)
    folder = contract_folder()
    chosen = {contract.dataset for contract in contracts}
    others = [contract for contract in folder.sound if contract.dataset not in chosen]
    with open_platform() as platform:
        if lost := platform.warehouse.abandon_lost_attempts():
            log.warning("%d earlier loads were interrupted; they were rolled back", lost)
        notes = _accept(domain, params.get("accept") or (), platform.warehouse)
        found = find_drops(
            contracts,
            platform.landing,
            platform.warehouse,
            choice,
            neighbours=others,
            faulty=folder.faulty,
            full=bool(params.get("full_listing")) or choice.full_refresh,
            reserved=platform.settings.reserved,
        )
        notes += log_discovery(log, found, contracts, choice, platform.landing.url)
    faults = [*found.faults, *([] if params.get("datasets") else faults_of_contracts(domain.faulty))]
    leave_messages(log, context, faults, notes)
    if (left := len(found.drops) - DROPS_A_RUN) > 0:
        log.warning("%d drops are left for the next run: a run loads at most %d", left, DROPS_A_RUN)
    batches = cut(found.drops[:DROPS_A_RUN])
    tickets = [ticket(number, batch) for number, batch in enumerate(batches)]
    for batch, batch_ticket in zip(batches, tickets, strict=True):
        context["ti"].xcom_push(key=batch_ticket["message"], value=pack(batch))
    return tickets


def _accept(domain: Domain, keys: Sequence[str], warehouse: Warehouse) -> list[str]:
    """A person's yes, given in the form; gives a line for each file of which nothing waits, as after a retry."""
    from data_ingestion.decisions import accept
    from data_ingestion.errors import OperatorFault

    notes = []
    for key in keys:
        try:
            accepted = accept(domain.contracts, warehouse, key)
        except OperatorFault as fault:
            log.warning("%s", fault)
            notes.append(str(fault))
        else:
            log.info("%s: accepted%s", key, f" ({', '.join(accepted.shapes)})" if accepted.shapes else "")
    return notes


def load(domain: Domain, batch_ticket: Ticket, context: Mapping[str, Any]) -> dict[str, int]:
    """Brings the drops of a batch in, each exactly once; fails at its end if some could not be.

    What a drop or a contract refuses would be refused again, so this is not retried. After an unexpected error (a lost
    connection, say) it is, and finds what is in already.
    """
    from data_ingestion.errors import ContractFault

    context["batch"] = batch_ticket["name"]  # type: ignore[index]
    drops = unpack(context["ti"].xcom_pull(task_ids="discover", key=batch_ticket["message"]))
    reports: list[LoadReport] = []
    unexpected: Exception | None = None
    refused = [
        f"{drop.object.key}: the contract of {drop.dataset} became faulty or was removed after this was planned"
        for drop in drops
        if drop.dataset not in domain.datasets
    ]
    for contract in domain.contracts:
        if own_drops := [drop for drop in drops if drop.dataset == contract.dataset]:
            lines = LoadLines(log)
            try:
                for report in _load_drops(contract, own_drops):
                    lines.add(report)
                    reports.append(report)
            except ContractFault as fault:
                log.error("%s: not all of %d drops are loaded: %s", contract.dataset, len(own_drops), fault)
                refused.append(str(fault))
            except Exception as error:  # a fault of one dataset must not keep the drops of another out
                log.exception("%s: not all of %d drops are loaded", contract.dataset, len(own_drops))
                unexpected = unexpected or error
            finally:
                lines.end()
    failed = [report for report in reports if report.state == "failed"]
    missing = len(drops) - len(reports) + len(failed)
    others = "; the others are loaded" if missing < len(drops) else ""
    message = f"{missing} of {len(drops)} drops failed{others}. First: "
    if unexpected:
        raise RuntimeError(f"{message}{unexpected}") from unexpected
    if failed:
        ending = (
            f"each run tries again, until it loads or `goldworks withdraw {failed[0].object_key}` ends it"
        )
        raise AirflowFailException(f"{message}{failed[0].failure_message()}\n  {ending}")
    if refused:
        raise AirflowFailException(f"{message}{refused[0]}")
    return {"drops": len(reports), "rows_read": sum(report.fates.read for report in reports)}


def gate(domain: Domain, context: Mapping[str, Any]) -> dict[str, Any]:
    """Which loads the domain's models, and its reports and profiles, do not include yet.

    The marks are read before dbt begins: a load that commits meanwhile is built twice rather than never. They come
    from the ledger, not from this run, so that what an earlier, failed run left over is built too; also what was loaded
    of a contract that is faulty now.
    """
    from data_ingestion.decisions import find_waiting
    from data_ingestion.events import write_event
    from data_ingestion.faults import DatasetFaults

    params, outlet_events = context["params"], context["outlet_events"]
    _chosen(domain, context)
    faults = DatasetFaults()
    with open_platform() as platform:
        for contract in domain.contracts:
            with faults.of(contract):
                platform.warehouse.prepare(contract)  # models read every raw table, also one without a load
        platform.warehouse.record_faults("load", domain.datasets, faults.found)
        unbuilt = platform.warehouse.unbuilt_datasets
        marks = dict(unbuilt(domain.builder, domain.all_datasets))
        waiting = [one.message for one in find_waiting(domain.contracts, platform.warehouse)]
        behind = {
            task: unwritten
            for task in domain.writers
            if (unwritten := dict(unbuilt(domain.writer(task), domain.all_datasets)))
        }
    leave_messages(log, context, faults.found, waiting=waiting)
    for dataset, load_id in sorted(marks.items()):
        log.info("%s: loads up to %d are not built yet", dataset, load_id)
        outlet_events[raw_of(domain)].add(raw_asset(dataset), extra={"load_id": load_id})
    write_event(
        "gate", domain=domain.name, unbuilt_datasets=len(marks), last_load=max(marks.values(), default=None)
    )
    builds = bool(marks or params.get("full_refresh"))
    if not builds:
        log.info("nothing new: every load is built, dbt is skipped")
        for task in behind:
            log.info("%s: runs, because its last attempt did not finish", task)
    return {"builds": builds, "marks": marks, "behind": behind}


def publish(domain: Domain, marks: Mapping[str, int], written: Mapping[str, int], outlet_events: Any) -> None:
    """Records which loads are published, and notifies the gold assets' consumers."""
    from data_ingestion.events import write_event

    with open_platform() as platform:
        platform.warehouse.record_build(domain.builder, marks)
    gold = domain.models.get("gold", ())
    rows = sum(written.get(model, 0) for model in gold)
    write_event(
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
    """Writes the domain's reports, and notes which loads are in them; gives where their pages are.

    A report that can't be written fails the task when all others are, and the next run tries all of them again.
    """
    from data_ingestion.app.report import write_reports
    from data_ingestion.faults import raise_all
    from data_ingestion.reports.definition import read_reports

    folder = read_reports(reports_folder())
    faults: list[Exception] = [one.error for one in folder.faulty if one.domain == domain.name]
    chosen = [one for one in folder.sound if one.domain == domain.name]
    pages = []
    with open_platform() as platform:
        for done in write_reports(platform.settings, platform.warehouse, chosen, faults):
            log.info("%s: %d rows in %d tables", done.place, done.rows, len(done.report.tables))
            pages.append(done.place)
        raise_all(faults)
        platform.warehouse.record_build(domain.writer("report"), marks)
    return pages


def profile(domain: Domain, marks: Mapping[str, int]) -> dict[str, int]:
    """Counts what raw and the models hold now, where it has changed, and writes the domain's page of it.

    Then it notes which loads are counted. While a contract of the domain is faulty, nothing is counted: what it marks
    as personal isn't known, and any model of the domain may hold it.
    """
    from data_ingestion.app.profile import profile_domain
    from data_ingestion.manifest import read_manifest

    if domain.faulty:
        log.warning(
            "nothing is profiled until %s is corrected: which columns are personal can't be read from it",
            " and ".join(str(contract.path) for contract in domain.faulty),
        )
        return {"profiled": 0, "relations": 0}
    with open_platform() as platform:
        done = profile_domain(platform, domain.contracts, read_manifest(manifest_file()))
        platform.warehouse.record_build(domain.writer("profile"), marks)
    if done is None:
        return {"profiled": 0, "relations": 0}
    for one in done.relations:
        if one.profile is None:
            log.warning("%s: missing, or no permission to read it", one.relation.qualified_name)
        elif one.is_new:
            log.info(
                "%s: %d rows, %.1f s", one.relation.qualified_name, one.profile.rows, one.profile.seconds
            )
    log.info("page: %s", done.page)
    return {"profiled": sum(one.is_new for one in done.relations), "relations": len(done.relations)}


def verdict(context: Mapping[str, Any]) -> None:
    """Fails where a dataset was left out of the run, or something waits for a person.

    Nothing else of the run has failed, or this would not be asked.
    """
    if messages := collect_faults(context):
        raise AirflowFailException("\n".join(messages))


def _load_drops(contract: Contract, drops: Sequence[PlannedDrop]) -> Iterator[LoadReport]:
    """The reports of a dataset's drops as they come; raises when all have been tried and one met an unforeseen error.

    In a separate session: an error in another one must not stop these.
    """
    from data_ingestion.load import load_drops

    with open_platform() as platform:
        yield from load_drops(contract, platform.landing, platform.warehouse, drops)


def _chosen(domain: Domain, context: Mapping[str, Any]) -> tuple[list[Contract], Choice]:
    """What the form asks for; a choice that can match nothing fails the task at once, since a retry would not help."""
    from data_ingestion.errors import UsageFault
    from goldworks_dags.choice import chosen

    try:
        return chosen(domain, context["params"])
    except UsageFault as fault:
        leave_note(context, str(fault))
        raise AirflowFailException(str(fault)) from fault
