"""Lake: the tasks that copy what was loaded into it, and put its small files together."""

from __future__ import annotations

import logging

from goldworks_dags.domain import Domain
from goldworks_dags.platform import open_platform

log = logging.getLogger(__name__)


def archive(domain: Domain) -> dict[str, int]:
    """Copies the records of what was loaded into the lake, with what an earlier run left over."""
    from data_ingestion.app.archive import archive_datasets
    from data_ingestion.faults import DatasetFaults

    done = {"drops": 0, "records": 0}
    faults = DatasetFaults()
    with open_platform() as platform:
        for report in archive_datasets(platform, domain.contracts, faults):
            log.info(
                "%s: %d drops, %d records in %d files of %s, %.1f s", report.dataset, report.drops,
                report.records, report.files, platform.settings.lake, report.seconds,
            )  # fmt: skip
            if report.missed:
                log.warning(
                    "%s: %d drops were removed from the landing before they were archived",
                    report.dataset,
                    report.missed,
                )
            done = {"drops": done["drops"] + report.drops, "records": done["records"] + report.records}
    faults.raise_found()
    return done


def compact(domain: Domain) -> None:
    """Merges the small files of each day, once the day is over or has many."""
    from data_ingestion.app.archive import compact_datasets
    from data_ingestion.faults import DatasetFaults

    faults = DatasetFaults()
    with open_platform() as platform:
        for report in compact_datasets(platform, domain.contracts, faults, patient=True):
            log.info(
                "%s: %d files before, %d after, %.1f s", report.dataset, report.files_before,
                report.files_after, report.seconds,
            )  # fmt: skip
    faults.raise_found()
