"""Output: what a command prints, as lines whose numbers add up in sight, or as JSON for programs."""

from __future__ import annotations

import io
import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from data_ingestion.excerpts import shorten_line

if TYPE_CHECKING:
    from data_ingestion.decisions import Waiting
    from data_ingestion.discovery import Discovery
    from data_ingestion.faults import DatasetFault
    from data_ingestion.lake.archive import ArchiveReport
    from data_ingestion.lake.compaction import CompactionReport
    from data_ingestion.landing import PassedOver
    from data_ingestion.ledger import LoadReport
    from data_ingestion.profiles.profile import Profiled

# Lines about entries of the landing with the same fault, and the width to which keys are aligned.
MOST_ALIKE, WIDEST = 5, 80

# Why objects are left alone, as a person reads it.
LEFT = {
    "unsettled": "still settling",
    "unmarked": "waiting for a marker",
    "withdrawn": "withdrawn",
    "held": "held",
    "rejected": "rejected",
}


def escape_unspellable() -> None:
    """Has what the terminal's or log's encoding can't spell shown escaped, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def width_of(keys: Iterable[str]) -> int:
    """How wide the column of these keys is; a few very long ones don't move all others."""
    return min(max(map(len, keys), default=0), WIDEST)


def say_line(text: str = "") -> None:
    """A line as it is."""
    from data_ingestion.cli.console import console

    console.print(text, markup=False)


def say_error(text: str, style: str = "red") -> None:
    """A line beside the output, of an error or of its end."""
    from data_ingestion.cli.console import errors

    errors.print(text, style=style, markup=False)


def say(verb: str, text: str, style: str = "") -> None:
    """One line: what is done, in a column of its own, then to what."""
    from rich.text import Text

    from data_ingestion.cli.console import console, inert

    line = Text(f"{verb:<12}", style=style or "bold")
    console.print(line.append(inert(text), style="not bold not dim default"))


def say_discovery(landing: str, discovery: Discovery) -> None:
    """How many objects lie there, by what has to be done with them."""
    from data_ingestion.ledger import Kind

    kinds = (Kind.NEW, Kind.CORRECTED, Kind.DUPLICATE, Kind.LATE, Kind.REPLAY)
    counts = [(sum(plan.count(kind) for plan in discovery.plans), kind.value) for kind in kinds]
    counts += [
        (sum(plan.known for plan in discovery.plans), "known"),
        *((sum(plan.count_left(why) for plan in discovery.plans), label) for why, label in LEFT.items()),
        (sum(plan.outside for plan in discovery.plans), "outside the periods asked for"),
        (len(discovery.ignored), "unfinished"),
        (len(discovery.unresolved), "unresolved"),
        (len(discovery.passed_over), "passed over"),
        (len(discovery.set_aside), "matching faulty contracts"),
    ]
    summary = " · ".join(f"{count:,} {name}" for count, name in counts if count) or "nothing there"
    say("discover", f"{landing}  {summary}")


def say_plan(discovery: Discovery) -> None:
    """Each object that is not simply known: what would be done with it and why, oldest first."""
    lines = [
        (drop.period, drop.object, str(drop.kind), drop.reason)
        for plan in discovery.plans
        for drop in plan.drops
    ]
    lines += [
        (item.period, item.object, str(item.why), item.reason)
        for plan in discovery.plans
        for item in plan.left
    ]
    lines.sort(key=lambda line: (line[0], line[1].last_modified, line[1].key))
    lines += [
        ("", item, "unfinished", "named like a file still being written, or like a lock file")
        for item in discovery.ignored
    ]
    lines += [("", item, "unresolved", "no contract matches") for item in discovery.unresolved]
    lines += [
        ("", item, "left alone", "it matches, or may match, a faulty contract")
        for item in discovery.set_aside
    ]
    width = width_of([item.key for _, item, _, _ in lines])
    for _, item, verb, reason in lines:
        say(
            verb,
            f"{item.key:<{width}} {item.size:>13,} bytes  {reason}",
            "yellow" if verb == "unresolved" else "",
        )
    say_outdated(discovery)
    say_passed_over(discovery.passed_over)


def say_outdated(discovery: Discovery) -> None:
    """Objects that a changed contract can't read again, because they are gone."""
    for plan in discovery.plans:
        for key in plan.outdated:
            say(
                "outdated",
                f"{key}  gone from the landing; its rows stay as loaded under an earlier contract",
                "yellow",
            )


def faults_as_json(faults: Sequence[DatasetFault]) -> list[dict[str, str]]:
    """What keeps datasets out, for a machine."""
    return [{"domain": fault.domain, "dataset": fault.dataset, "fault": str(fault.error)} for fault in faults]


def plan_as_json(landing: str, discovery: Discovery, faults: Sequence[DatasetFault]) -> dict[str, Any]:
    """The whole plan for a machine."""
    return {
        "landing": landing,
        "drops": [drop.as_json() for drop in discovery.drops],
        "left": [{"dataset": plan.dataset, **asdict(item)} for plan in discovery.plans for item in plan.left],
        "known": {plan.dataset: plan.known for plan in discovery.plans},
        "outside": {plan.dataset: plan.outside for plan in discovery.plans},
        "outdated": {plan.dataset: plan.outdated for plan in discovery.plans},
        "unfinished": [item.key for item in discovery.ignored],
        "unresolved": [item.key for item in discovery.unresolved],
        "passed_over": passed_over_as_json(discovery.passed_over),
        "faults": faults_as_json(faults),
    }


def say_withdrawal(report: LoadReport) -> None:
    """What a withdrawal has moved, and how to take it back."""
    moved = report.fates.describe_moved() or "no row moved"
    number = f"  load {report.load_id}" if report.load_id else ""
    say("withdrawn", f"{report.object_key}  {moved}; {report.plan_reason}{number}")
    if report.load_id:
        say("", f"undo: goldworks withdraw --undo {shlex.quote(report.object_key)}", "dim")


def say_held(held: Sequence[Mapping[str, Any]]) -> None:
    """Corrections that wait for a person, and those that were decided on."""
    for row in held:
        key = shlex.quote(row["object_key"])
        meant = {
            "held": f"`goldworks accept {key}` accepts it, `goldworks withdraw {key}` rejects it",
            "accepted": "the next `goldworks load` loads it",
            "rejected": "not loaded until its bytes change, or `goldworks withdraw --undo`",
        }
        withdrawn = f"{row['rows_withdrawn']:,} of {row['rows_held']:,} rows"
        text = f"{row['object_key']}  its correction would withdraw {withdrawn}; {meant[row['decision']]}"
        say(row["decision"], text, "yellow" if row["decision"] == "held" else "")


def say_waiting(waiting: Sequence[Waiting]) -> None:
    """What a person has to decide, and by which commands."""
    for one in waiting:
        say(one.kind, one.message, "yellow")


def describe_archive(report: ArchiveReport) -> str:
    """What went into the lake, and what could not."""
    records, files = _counted(report.records, "record"), _counted(report.files, "file")
    parts = [f"{_counted(report.drops, 'drop')}, {records} in {files}"]
    parts += [f"{report.missed:,} removed from the landing before they were archived"] * bool(report.missed)
    parts += [f"{report.waiting:,} wait to be loaded under the current contract"] * bool(report.waiting)
    return f"{' · '.join(parts)}  {report.seconds:.1f} s"


def describe_compaction(report: CompactionReport) -> str:
    """How many files a dataset has in the lake, before and after."""
    if report.files_before == report.files_after:
        return f"{_counted(report.files_before, 'file')}; nothing to compact"
    return (
        f"{report.files_before:,} files → {report.files_after:,}, "
        f"{_counted(report.records, 'record')} rewritten  {report.seconds:.1f} s"
    )


def say_profile(profiled: Profiled) -> None:
    """How much a relation holds, and how many columns are masked."""
    name, found = profiled.relation.qualified_name, profiled.profile
    if found is None:
        say("profile", f"{name}  missing, or no permission to read it", "dim")
    elif not profiled.is_new:
        say("unchanged", f"{name}  {_counted(found.rows, 'row')}", "dim")
    else:
        sample = f", from a sample of {found.sampled:,}" if found.sampled is not None else ""
        say(
            "profile",
            f"{name}  {_counted(found.rows, 'row')}, {_counted(len(found.columns), 'column')}, "
            f"{found.masked} masked{sample}  {found.seconds:.1f} s",
        )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def say_quarantined(rows: int) -> None:
    """Where the bad rows of good drops are to be seen."""
    if rows:
        say(
            "quarantined",
            f"{_counted(rows, 'row')}: `goldworks quarantine` shows them with their reasons",
            "yellow",
        )


def say_unresolved(keys: Sequence[str]) -> None:
    """What no contract claims."""
    for key in keys:
        say("unresolved", f"{key}  no contract matches", "yellow")


def say_passed_over(entries: Sequence[PassedOver]) -> None:
    """What can't be an object, the first few of each fault, and what a person can do about it."""
    alike: dict[tuple[str, str], list[str]] = {}
    for entry in entries:
        alike.setdefault((entry.fault, entry.remedy), []).append(entry.key)
    for (fault, remedy), keys in alike.items():
        for key in keys[:MOST_ALIKE]:
            say("passed over", f"{shorten_line(key)}  {fault}", "yellow")
        if len(keys) > MOST_ALIKE:
            say("", f"and {len(keys) - MOST_ALIKE:,} more; `goldworks plan --json` lists all")
        say("", remedy, "dim")


def passed_over_as_json(entries: Sequence[PassedOver]) -> list[dict[str, str]]:
    """The same for a machine."""
    return [{"key": entry.key, "fault": entry.fault, "remedy": entry.remedy} for entry in entries]


def say_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str) -> None:
    """Rows under headings, numbers to the right; a line is never folded, so that it can be searched and cut."""
    from data_ingestion.cli.console import console

    if not rows:
        console.print(empty)
        return
    cells = [[_cell(row[key]) for key in columns] for row in rows]
    numeric = [all(isinstance(row[key], int | float | None) for row in rows) for key in columns]
    widths = [max(map(len, column)) for column in zip(columns.values(), *cells, strict=True)]
    for line, style in [(list(columns.values()), "bold"), *((line, "") for line in cells)]:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        console.print("  ".join(aligned).rstrip(), style=style, markup=False)


def say_json(document: Any) -> None:
    """One JSON document on standard output."""
    spells_all = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    json.dump(document, sys.stdout, default=_plain, indent=2, ensure_ascii=not spells_all)
    sys.stdout.write("\n")


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
