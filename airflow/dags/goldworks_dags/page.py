"""Page: the text of a DAG's web page, made from the contracts."""

from __future__ import annotations

import os

from data_ingestion.contract import Contract, FaultyContract, KeyRule
from goldworks_dags.domain import Domain

RUNBOOK = "docs/runbooks/dag_is_red.md"


def page(domain: Domain) -> str:
    """What lands, what makes a row the same row, how fresh it is meant to be, and what to do when the DAG is red."""
    parts = [f"# {headline(domain)}"]
    parts += [_faulty(contract) for contract in domain.faulty]
    parts += [_dataset(contract) for contract in domain.contracts]
    if gold := domain.models.get("gold"):
        parts.append("## What it publishes\n" + "\n".join(f"- `gold.{model}`" for model in gold))
    if domain.ends_in_raw:
        parts.append(
            "## What it publishes\n"
            f"Raw tables only. Models in `dbt/models/silver/{domain.name}/` and `dbt/models/gold/{domain.name}/` "
            "join this graph once they exist."
        )
    transform = (
        ""
        if domain.ends_in_raw
        else "| `transform` | a model or a test failed, or dbt could not run | correct it, then trigger a run |\n"
    )
    if not domain.has_landing:
        parts.append(
            "## When it is red\n"
            "A model or a test failed, or dbt could not run: correct it, then trigger a run. "
            f"More: {_runbook()}."
        )
        return "\n\n".join(parts)
    capture = (
        "| `capture` | a source can't be reached or read; what had landed is loaded | fix it, then clear the task |\n"
        if domain.captured
        else ""
    )
    reports = (
        "| `report` | gold, or the reports' folder, can't be reached | the next run tries again |\n"
        if domain.has_reports
        else ""
    )
    lake = (
        "| `archive`, `compact` | landing, lake or warehouse can't be reached | clear the task; nothing waits |\n"
        if domain.archived
        else ""
    )
    parts.append(
        "## When it is red\n"
        "| task | meaning | what to do |\n"
        "|---|---|---|\n"
        f"{capture}"
        "| `discover` | landing, contracts or warehouse can't be reached or read | fix it, then clear the task |\n"
        "| `load` | a drop was rejected; the others are loaded | correct the drop or the contract, trigger a run |\n"
        f"{lake}"
        "| `gate`, `publish` | the warehouse can't be reached | clear the task |\n"
        f"{transform}{reports}"
        "| `profile` | the warehouse, or the reports' folder, can't be reached | the next run tries again |\n"
        "| `verdict` | a dataset was left out, or a file waits for a decision; or a task above failed | its log "
        "says which and what to do; otherwise see the task that failed |\n\n"
        f"Clearing a `load` is safe at any time: every drop is loaded exactly once. More: {_runbook()}."
    )
    return "\n\n".join(parts)


def _runbook() -> str:
    """A link where the docs can be read (`GOLDWORKS_DOCS_URL`), else the file's name: Airflow does not have them."""
    docs = os.environ.get("GOLDWORKS_DOCS_URL", "").rstrip("/")
    return f"[{RUNBOOK}]({docs}/{RUNBOOK.removeprefix('docs/')})" if docs else f"`{RUNBOOK}`"


def headline(domain: Domain) -> str:
    """What the DAG does, in a line."""
    if not domain.has_landing:
        return f"{domain.name}: loads and data of all domains"
    return f"{domain.name}: from the landing to {reaches(domain)}"


def reaches(domain: Domain) -> str:
    """The last layer that the domain's drops come to."""
    return "raw" if domain.ends_in_raw else "gold"


def _faulty(contract: FaultyContract) -> str:
    faults = "\n".join(str(fault) for fault in contract.faults)
    return (
        f"## `{contract.dataset}` is left out: its contract is faulty\n"
        "What is loaded stays and its models are built; new files wait.\n\n"
        f"```\n{faults}\n```"
    )


def _dataset(contract: Contract) -> str:
    lines = [
        f"## `{contract.dataset}`",
        contract.description,
        "",
        *([f"- **captured** from {_captured(contract)}"] if contract.capture else []),
        f"- **lands** as {_patterns(contract)}, into `raw.{contract.dataset}`",
        f"- **key**: {_key(contract)}",
        f"- **freshness**: {_freshness(contract)}",
        f"- **a load fails** when more than {contract.acceptance.quarantined.share:.0%} of a drop's rows, "
        f"and more than {contract.acceptance.quarantined.least}, violate the contract",
        f"- **columns**: {', '.join(f'`{column.name}`' for column in contract.columns)}",
        f"- **contract**: version {contract.version}, `contracts/{contract.domain}/{contract.path.name}`",
    ]
    if contract.archive:
        lines.insert(3, "- **archived** in the lake, each record as received")
    return "\n".join(lines)


def _captured(contract: Contract) -> str:
    assert contract.capture
    tables = ", ".join(f"`{contract.capture.schema}.{table}`" for table in contract.capture.tables)
    return f"{tables} of the connection `source_{contract.capture.source}`"


def _patterns(contract: Contract) -> str:
    return " or ".join(f"`{source.pattern.text}`" for source in contract.sources)


def _key(contract: Contract) -> str:
    columns = ", ".join(f"`{column}`" for column in contract.key.columns)
    if contract.key.rule is KeyRule.OCCURRENCE:
        return f"none in the source; a row is identified by {columns} and its number among equal ones in the drop"
    return columns


def _freshness(contract: Contract) -> str:
    if contract.warn_after_hours is None:
        return "no limit"
    late = f"late after {contract.warn_after_hours} h without a new drop"
    return f"{late}, an error after {contract.error_after_hours} h" if contract.error_after_hours else late
