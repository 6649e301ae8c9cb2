"""Page: what the web page of a DAG tells its reader, from the contracts."""

from __future__ import annotations

from data_ingestion.contract import Contract, KeyRule
from goldworks_dags.domain import Domain

RUNBOOK = "docs/runbooks/dag_is_red.md"


def page(domain: Domain) -> str:
    """What lands, what makes a row the same row, how fresh it is meant to be, and what to do when the DAG is red."""
    parts = [f"# {headline(domain)}"]
    parts += [_dataset(contract) for contract in domain.contracts]
    if gold := domain.models.get("gold"):
        parts.append("## What it publishes\n" + "\n".join(f"- `gold.{model}`" for model in gold))
    if domain.ends_in_raw:
        parts.append(
            "## What it publishes\n"
            f"Raw tables only. Models in `dbt/models/silver/{domain.name}/` and `dbt/models/gold/{domain.name}/` "
            "join this graph when they are there."
        )
    transform = (
        ""
        if domain.ends_in_raw
        else "| `transform` | a model or a test failed, or dbt could not run | correct it, then trigger a run |\n"
    )
    if not domain.contracts:
        parts.append(
            "## When it is red\n"
            "A model or a test failed, or dbt could not run: correct it, then trigger a run. "
            f"In full: `{RUNBOOK}`."
        )
        return "\n\n".join(parts)
    capture = (
        "| `capture` | a source can't be reached or read; what had landed is in | put it right, clear the task |\n"
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
        "| `discover` | landing, contracts or warehouse can't be reached or read | put it right, clear the task |\n"
        "| `load` | a drop was refused; the others are in | correct the drop or the contract, then trigger a run |\n"
        f"{lake}"
        "| `gate`, `publish` | the warehouse can't be reached | clear the task |\n"
        f"{transform}{reports}"
        "| `profile` | the warehouse, or the reports' folder, can't be reached | the next run tries again |\n"
        "| `verdict` | one of the above | look at the left of it |\n\n"
        f"Clearing a `load` is safe at any time: every drop comes in exactly once. In full: `{RUNBOOK}`."
    )
    return "\n\n".join(parts)


def headline(domain: Domain) -> str:
    """What the DAG does, in a line."""
    if not domain.contracts:
        return f"{domain.name}: what is known of all domains"
    return f"{domain.name}: from the landing to {reaches(domain)}"


def reaches(domain: Domain) -> str:
    """The last layer that the domain's drops come to."""
    return "raw" if domain.ends_in_raw else "gold"


def _dataset(contract: Contract) -> str:
    lines = [
        f"## `{contract.dataset}`",
        contract.description,
        "",
        *([f"- **captured** from {_captured(contract)}"] if contract.capture else []),
        f"- **lands** as {_patterns(contract)}, into `raw.{contract.dataset}`",
        f"- **key**: {_key(contract)}",
        f"- **freshness**: {_freshness(contract)}",
        f"- **a load fails** when more than {contract.quarantine_limit.share:.0%} of a drop's rows, "
        f"and more than {contract.quarantine_limit.least}, break the contract",
        f"- **columns**: {', '.join(f'`{column.name}`' for column in contract.columns)}",
        f"- **contract**: version {contract.version}, `contracts/{contract.domain}/{contract.path.name}`",
    ]
    if contract.archive:
        lines.insert(3, "- **archived** in the lake, each record as it came")
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
        return f"none in the source; a row is the n-th with its {columns} within its drop"
    return columns


def _freshness(contract: Contract) -> str:
    if contract.warn_after_hours is None:
        return "nothing promised"
    late = f"late after {contract.warn_after_hours} h without a new drop"
    return f"{late}, an error after {contract.error_after_hours} h" if contract.error_after_hours else late
