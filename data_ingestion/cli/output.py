"""Output: what a command tells, to a person as lines whose numbers add up in sight, to a machine as JSON."""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.console import Console

from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState, MergePlan

if TYPE_CHECKING:
    from data_ingestion.discovery import Discovery
    from data_ingestion.lake.archive import ArchiveReport
    from data_ingestion.lake.compaction import CompactionReport
    from data_ingestion.profiles.profile import Profiled

# What a terminal would obey rather than show; line ends and tabs are shown.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class _Lines(Console):
    """Text is told as it is, and can do nothing: names and quarantined rows are their sender's."""

    def print(self, *told: Any, **how: Any) -> None:
        """Prints, with control characters escaped."""
        super().print(*(_inert(one) if isinstance(one, str) else one for one in told), **how)


def _inert(text: str) -> str:
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


# No emoji: `a.csv:100:` is a file and its line.
console = _Lines(highlight=False, soft_wrap=True, emoji=False)
errors = _Lines(stderr=True, highlight=False, soft_wrap=True, emoji=False)

KIND_ORDER = (Kind.NEW, Kind.CORRECTED, Kind.DUPLICATE, Kind.LATE, Kind.REPLAY)
# Why objects are left alone, as a person reads it.
LEFT = {"unsettled": "still settling", "unmarked": "waiting for a marker", "withdrawn": "withdrawn"}


def escape_unspellable() -> None:
    """Has what the terminal's or log's encoding can't spell shown escaped, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(verb: str, text: str, style: str = "") -> None:
    """One line: what is done, in a column of its own, then to what."""
    console.print(f"{verb:<12}", style=style or "bold", end="", markup=False)
    console.print(text, markup=False)


def say_discovery(landing: str, discovery: Discovery) -> None:
    """How many objects lie there, by what has to be done with them."""
    counts = [(sum(plan.count(kind) for plan in discovery.plans), kind.value) for kind in KIND_ORDER]
    counts += [
        (sum(plan.known for plan in discovery.plans), "known"),
        *((sum(plan.count_left(why) for plan in discovery.plans), told) for why, told in LEFT.items()),
        (sum(plan.outside for plan in discovery.plans), "outside the periods asked for"),
        (len(discovery.ignored), "unfinished"),
        (len(discovery.unresolved), "unresolved"),
    ]
    told = " · ".join(f"{count:,} {name}" for count, name in counts if count) or "nothing lies there"
    say("discover", f"{landing}  {told}")


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
        ("", item, "unfinished", "its name says that it is still being written") for item in discovery.ignored
    ]
    lines += [("", item, "unresolved", "no contract matches") for item in discovery.unresolved]
    width = max((len(item.key) for _, item, _, _ in lines), default=0)
    for _, item, verb, reason in lines:
        say(
            verb,
            f"{item.key:<{width}} {item.size:>13,} bytes  {reason}",
            "yellow" if verb == "unresolved" else "",
        )
    say_outdated(discovery)


def say_outdated(discovery: Discovery) -> None:
    """Objects that a changed contract can't read again, because they are gone."""
    for plan in discovery.plans:
        for key in plan.outdated:
            say(
                "outdated",
                f"{key}  gone from the landing; its rows stay as an earlier contract made them",
                "yellow",
            )


def plan_as_json(landing: str, discovery: Discovery) -> dict[str, Any]:
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
    }


def say_withdrawal(report: LoadReport) -> None:
    """What a withdrawal has moved, and how to take it back."""
    moved = report.fates.told_moved() or "no row moved"
    number = f"  load {report.load_id}" if report.load_id else ""
    say("withdrawn", f"{report.object_key}  {moved}; {report.plan_reason}{number}")
    if report.load_id:
        say("", f"take it back: goldworks withdraw --undo {shlex.quote(report.object_key)}", "dim")


def say_load(report: LoadReport, width: int) -> None:
    """What became of every row of one drop; `width` is that of the longest key."""
    place = f"{report.object_key:<{width}}"
    if report.state is LoadState.FAILED:
        say("failed", report.told_failure(), "bold red")
    elif report.plan == MergePlan.NOTHING:
        say(str(report.kind), f"{place} {report.plan_reason}; nothing to do", "dim")
    elif report.plan == MergePlan.SETTLE:
        say(str(report.kind), f"{place} {report.plan_reason}  load {report.load_id}")
    else:
        number = f"  load {report.load_id}" if report.load_id else ""
        corrected = f"{report.kind}: " if report.kind is not Kind.NEW else ""
        say(
            "load",
            f"{place} {corrected}{report.fates.told()}  {report.seconds:.1f} s  {report.plan}{number}",
        )


def told_archive(report: ArchiveReport) -> str:
    """What went into the lake, and what could not."""
    records, files = _counted(report.records, "record"), _counted(report.files, "file")
    parts = [f"{_counted(report.drops, 'drop')}, {records} in {files}"]
    parts += [f"{report.missed:,} gone from the landing before they were archived"] * bool(report.missed)
    parts += [f"{report.waiting:,} wait to be loaded under the contract as it is now"] * bool(report.waiting)
    return f"{' · '.join(parts)}  {report.seconds:.1f} s"


def told_compaction(report: CompactionReport) -> str:
    """How many files a dataset has in the lake, before and after."""
    if report.files_before == report.files_after:
        return f"{_counted(report.files_before, 'file')}; nothing to put together"
    return (
        f"{report.files_before:,} files → {report.files_after:,}, "
        f"{_counted(report.records, 'record')} written anew  {report.seconds:.1f} s"
    )


def say_profile(told: Profiled) -> None:
    """How much a relation holds, and of how many columns values may be told."""
    name, found = told.relation.told, told.profile
    if found is None:
        say("profile", f"{name}  not there, or not for this login to read", "dim")
    elif not told.is_new:
        say("unchanged", f"{name}  {_counted(found.rows, 'row')}", "dim")
    else:
        sample = f", of a sample of {found.sampled:,}" if found.sampled is not None else ""
        say(
            "profile",
            f"{name}  {_counted(found.rows, 'row')}, {_counted(len(found.columns), 'column')}, "
            f"{found.masked} masked{sample}  {found.seconds:.1f} s",
        )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def say_loads(reports: Sequence[LoadReport]) -> None:
    """What became of all rows of several drops that came in alike."""
    first = reports[0]
    place = f"{first.object_key} and {len(reports) - 1:,} more"
    if first.plan == MergePlan.NOTHING:
        say(str(first.kind), f"{place}; nothing to do", "dim")
        return
    numbers = [report.load_id for report in reports if report.load_id]
    told = f"  loads {min(numbers)} to {max(numbers)}" if numbers else ""
    fates, seconds = (
        sum((report.fates for report in reports), Fates()),
        sum(report.seconds for report in reports),
    )
    corrected = f"{first.kind}: " if first.kind is not Kind.NEW else ""
    say("load", f"{place}  {corrected}{fates.told()}  {seconds:.1f} s  {first.plan}{told}")


def describe_load(row: Mapping[str, Any]) -> str:
    """The fates of a load as the ledger tells them, or its error."""
    if row["error"]:
        return str(row["error"]).splitlines()[0]
    if row["rows_read"] is None:
        return ""
    counts = {name: row[name] for name in Fates.__dataclass_fields__ if name != "read"}
    fates = Fates(read=row["rows_read"], **counts)
    return fates.told() if row["kind"] != Kind.WITHDRAWAL else fates.told_moved() or str(row["plan_reason"])


def say_total(drops: int, fates: Fates) -> None:
    """The sum over all drops."""
    if drops > 1:
        say("total", fates.told())


def say_unresolved(keys: Sequence[str]) -> None:
    """What no contract claims."""
    for key in keys:
        say("unresolved", f"{key}  no contract matches", "yellow")


def say_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str) -> None:
    """Rows under headings, numbers to the right; a line is never folded, so that it can be searched and cut."""
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


@contextmanager
def progress_bar(label: str, total: int, shown: bool) -> Iterator[Callable[[int], None]]:
    """A bar of bytes read on a terminal; nothing in a log."""
    if not shown or not errors.is_terminal:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda size: progress.update(task, advance=size)


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
