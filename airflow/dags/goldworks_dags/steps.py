"""Steps: what the tasks of a domain do, in the order in which they do it.

The loader is imported inside them, because every task and every parse of the DAGs would wait for it otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from goldworks_dags.assets import gold_asset, raw_asset, raw_of
from goldworks_dags.batches import Batch, cut, pack, unpack
from goldworks_dags.domain import Domain, contracts_folder
from goldworks_dags.form import choice_of

if TYPE_CHECKING:
    from data_ingestion.contract import Contract
    from data_ingestion.landing import Landing
    from data_ingestion.ledger import LoadReport
    from data_ingestion.plan import PlannedDrop
    from data_ingestion.warehouses.base import Warehouse

log = logging.getLogger(__name__)


def discover(domain: Domain, params: Mapping[str, Any]) -> list[Batch]:
    """Looks at the landing and plans what to load, as batches for the tasks that follow."""
    from data_ingestion.contract import read_contracts
    from data_ingestion.discovery import discover as look

    everyone = read_contracts(contracts_folder())
    chosen = [one for one in domain.contracts if not params["datasets"] or one.dataset in params["datasets"]]
    others = [one for one in everyone if one.dataset not in {mine.dataset for mine in chosen}]
    with _at_work() as at:
        if lost := at.warehouse.abandon_lost_attempts():
            log.warning("%d earlier loads were cut off; what they had begun was rolled back", lost)
        found = look(chosen, at.landing, at.warehouse, choice_of(params), neighbours=others)
        for plan in found.plans:
            log.info(
                "%s: %d to load, %d known, on %s", plan.dataset, len(plan.drops), plan.known, at.landing.url
            )
        for drop in found.drops:
            log.info(
                "%s: %s (%s), %s bytes", drop.object.key, drop.kind, drop.reason, f"{drop.object.size:,}"
            )
        for item in found.unresolved:
            log.warning("%s: unresolved, no contract matches it", item.key)
    return pack(cut(found.drops))


def load(domain: Domain, batch: Batch, context: Mapping[str, Any]) -> dict[str, int]:
    """Brings the drops of a batch in, each exactly once; fails at its end if some could not be.

    A drop that its contract refuses would be refused again, so this is not retried. After an error that nobody
    foresaw (a lost connection, say) it is, and finds what is in already.
    """
    drops = unpack(batch)
    context["batch"] = batch_name(drops)  # type: ignore[index]
    reports, surprises = [], []
    for planned, outcome in _outcomes(domain, drops):
        if isinstance(outcome, Exception):
            surprises.append(planned)
            log.error("%s: %s", planned.object.key, outcome, exc_info=outcome)
        else:
            reports.append(outcome)
            _tell(outcome)
    refused = [report for report in reports if report.state == "failed"]
    message = f"{len(refused) + len(surprises)} of {len(drops)} drops failed; the others are in. First: "
    if surprises:
        raise RuntimeError(message + surprises[0].object.key)
    if refused:
        raise AirflowFailException(message + str(refused[0].error))
    return {"drops": len(reports), "rows_read": sum(report.fates.read for report in reports)}


def gate(domain: Domain, params: Mapping[str, Any], outlet_events: Any) -> dict[str, Any]:
    """Tells which loads the domain's models do not include yet; nothing, and dbt is skipped.

    The marks are read before dbt begins: a load that commits meanwhile is built twice rather than never. They come
    from the ledger, not from this run, so that what an earlier, failed run left over is built too.
    """
    with _at_work() as at:
        for contract in domain.contracts:
            at.warehouse.prepare(
                contract
            )  # the models read every raw table, also one that nothing was loaded into
        marks = dict(at.warehouse.unbuilt_datasets(domain.name, domain.datasets))
    for dataset, load_id in sorted(marks.items()):
        log.info("%s: loads up to %d are not built yet", dataset, load_id)
        outlet_events[raw_of(domain)].add(raw_asset(dataset), extra={"load_id": load_id})
    if marks or params["full_refresh"]:
        return {"marks": marks}
    log.info("nothing new: every load is built, dbt is skipped")
    return {}


def publish(domain: Domain, marks: Mapping[str, int], written: Mapping[str, int], outlet_events: Any) -> None:
    """Notes which loads the models now include, and tells the gold assets' readers."""
    with _at_work() as at:
        at.warehouse.record_build(domain.name, marks)
    for dataset, load_id in sorted(marks.items()):
        log.info("%s: built up to load %d", dataset, load_id)
    for model in domain.models.get("gold", ()):
        log.info("gold.%s: %s rows written", model, f"{written[model]:,}" if model in written else "unknown")
        outlet_events[gold_asset(model)].extra = {"rows_written": written.get(model), "loads": dict(marks)}


def batch_name(drops: Sequence[PlannedDrop]) -> str:
    """A batch as the grid of the web page names it."""
    first = drops[0].object.key
    return first if len(drops) == 1 else f"{first} and {len(drops) - 1:,} more"


@dataclass(frozen=True)
class _Place:
    landing: Landing
    warehouse: Warehouse


@contextmanager
def _at_work() -> Iterator[_Place]:
    """The landing and the warehouse that the environment names, with the ledger at this version."""
    from data_ingestion.landing import open_landing
    from data_ingestion.settings import Settings
    from data_ingestion.warehouses import open_warehouse

    settings = Settings.from_environment()
    landing = open_landing(settings.landing_url)
    warehouse = open_warehouse(settings.warehouse_url)
    try:
        warehouse.migrate()
        yield _Place(landing, warehouse)
    finally:
        warehouse.close()


def _outcomes(
    domain: Domain, drops: Sequence[PlannedDrop]
) -> Iterator[tuple[PlannedDrop, LoadReport | Exception]]:
    """What became of each drop: its report, or the error that nobody foresaw, after which the session is a new one."""
    from data_ingestion.load import load_drops

    contracts: dict[str, Contract] = {contract.dataset: contract for contract in domain.contracts}
    waiting = list(drops)
    while waiting:
        with _at_work() as at:
            while waiting:
                planned = waiting.pop(0)
                try:
                    reports = list(
                        load_drops(contracts[planned.dataset], at.landing, at.warehouse, [planned])
                    )
                except Exception as error:  # one bug must not keep the other drops out
                    yield planned, error
                    break
                yield planned, reports[0]


def _tell(report: LoadReport) -> None:
    if report.state == "failed":
        log.error("failed: %s", report.told_failure())
    elif report.plan == "nothing":
        log.info("%s: %s; nothing to do", report.object_key, report.plan_reason)
    else:
        log.info(
            "%s: %s, %.1f s, %s, load %s",
            report.object_key,
            report.fates.told(),
            report.seconds,
            report.plan,
            report.load_id,
        )
