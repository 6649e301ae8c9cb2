"""Write what a new dataset needs, asking what only a person knows: contract, models, charts, dashboard.

    python -m onboarding FILE… [--domain NAME] [--dataset NAME] [--yes]

`make onboard` runs it, and then brings the files and the dashboard to the platform. A file that is there is never
written over, so that a second run goes on where the first one ended and changes nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from zoneinfo import available_timezones

from data_ingestion.contract import Contract, ContractError, read_contract
from data_ingestion.contract.names import faults_of_dataset, faults_of_name
from data_ingestion.contract.pattern import faults_of
from data_ingestion.draft.infer import ZONE_QUESTION
from data_ingestion.draft.key import KeyDraft, find_key
from data_ingestion.draft.place import dataset_of, path_of
from data_ingestion.draft.sample import Sample, read_sample
from data_ingestion.draft.unite import unite
from data_ingestion.draft.write import TO_DECIDE, infer_columns, write_draft
from data_ingestion.errors import UsageFault
from onboarding.dashboard import dashboard_of, uuid_of
from onboarding.models import Place, mart_columns, models_of
from onboarding.questions import Questions
from onboarding.summary import Summary, choices_of, summarize

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    questions = Questions(takes_defaults=options.yes)
    try:
        sample = unite({str(file): read_sample(file) for file in options.files})
        said = f"{sample.rows:,} rows of {sample.format}, {len(sample.columns)} columns"
        sys.stdout.write(f"read        {', '.join(map(str, options.files))}: {said}\n")
        contract = _agree_on_contract(options, sample, questions)
        if contract is None:
            return 0
        place = _place(options.root, contract)
        summary = _agree_on_summary(contract, sample, questions)
        files = models_of(contract, place, summary)
        assets = dashboard_of(list(mart_columns(contract, summary)), place)
        _write(options.root / "dbt", files)
        _write(options.root / "superset/assets", assets)
    except (UsageFault, ContractError) as fault:
        sys.stderr.write(f"error: {fault}\n")
        return 2
    if options.result:
        keys = [_key_of(file, contract) for file in options.files]
        found = {"domain": contract.domain, "dataset": contract.dataset, "slug": place.slug, "keys": keys}
        options.result.write_text(json.dumps(found), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make onboard", description="From files to a dashboard.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of one dataset")
    parser.add_argument("--domain", metavar="NAME", help="of which the dataset is")
    parser.add_argument("--dataset", metavar="NAME", help="what it is called")
    parser.add_argument("--yes", action="store_true", help="take every default, ask nothing")
    parser.add_argument("--root", type=Path, default=ROOT, help="where contracts/, dbt/ and superset/ lie")
    parser.add_argument("--result", type=Path, help="a file for what was made, as JSON")
    return parser


def _agree_on_contract(options: argparse.Namespace, sample: Sample, questions: Questions) -> Contract | None:
    """The dataset's contract, written if there is none; None where a person wants to look at it first."""
    files = [PurePath(file) for file in options.files]
    dataset = options.dataset or questions.ask("Name of the dataset?", dataset_of(files), _fault_of_dataset)
    domain = options.domain or questions.ask("Domain that owns it?", dataset, _fault_of_domain)
    if told := _fault_of_dataset(dataset) or _fault_of_domain(domain):
        raise UsageFault(told)
    target = options.root / "contracts" / domain / f"{dataset}.odcs.yaml"
    if target.exists():
        sys.stdout.write(f"kept        {target.relative_to(options.root)}\n")
        return read_contract(target)
    path = questions.ask("Path of its files on the landing?", path_of(files, dataset), _fault_of_path)
    drafts = infer_columns(sample)
    found = find_key(drafts, sample.columns, sample.rows)
    headers = {draft.column.name: draft.header for draft in drafts}
    likely = [name for name, header in headers.items() if header in found.headers]
    subject = f"{', '.join(likely)} is " if likely else ""
    sys.stdout.write(f"Key: {subject}{found.evidence}.\n")
    chosen = questions.choose("Columns that tell its rows apart (- if none do)?", likely, list(headers))
    key = KeyDraft(tuple(headers[name] for name in chosen), "")
    zone = ""
    if any(ZONE_QUESTION in draft.open for draft in drafts):
        zone = questions.ask("Time zone of times that name none?", "UTC", _fault_of_zone)
        drafts = [
            replace(one, open=tuple(told for told in one.open if told != ZONE_QUESTION)) for one in drafts
        ]
    draft = write_draft(
        sample,
        domain=domain,
        dataset=dataset,
        path=path,
        drafts=drafts,
        key=key,
        time_zone="" if zone == "UTC" else zone,
    )
    text = draft.text.replace(
        f" # {TO_DECIDE}: where the files lie; {{YYYY}}/{{MM}} for a period in the key", ""
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote       {target.relative_to(options.root)}\n")
    contract = read_contract(target)
    if opened := [line.partition(f"{TO_DECIDE}: ")[2] for line in text.splitlines()[1:] if TO_DECIDE in line]:
        sys.stdout.write("".join(f"to decide   {remark}\n" for remark in opened))
        if not questions.agrees("Go on with what the contract says now?"):
            sys.stdout.write("Settle them in the contract, then give the same command again.\n")
            return None
    return contract


def _agree_on_summary(contract: Contract, sample: Sample, questions: Questions) -> Summary:
    choices = choices_of(contract)
    likely = summarize(contract, _by_column(contract, sample))
    day = questions.choose(
        "Day of a row, for charts over time?", [likely.day] if likely.day else [], choices.days, most=1
    )
    categories = questions.choose("Group by?", likely.categories, choices.categories)
    measures = questions.choose("Add up?", likely.measures, choices.measures)
    return Summary(day[0] if day else "", categories, measures)


def _by_column(contract: Contract, sample: Sample) -> dict[str, Any]:
    return {
        column.name: sample.columns[header]
        for column in contract.columns
        for header in column.headers[:1]
        if header in sample.columns
    }


def _place(root: Path, contract: Contract) -> Place:
    """The first dataset of a domain has the domain's dashboard, to which Home leads; later ones have their own."""
    first = Place(contract.domain, contract.dataset, contract.domain)
    dashboard = root / "superset/assets/dashboards" / f"{contract.domain}.yaml"
    if not dashboard.exists() or uuid_of("dashboard", first) in dashboard.read_text(encoding="utf-8"):
        return first
    return Place(contract.domain, contract.dataset, first.name)


def _key_of(file: Path, contract: Contract) -> str:
    """Where the file goes on the landing."""
    patterns = [source.pattern for source in contract.sources]
    keys = [f"{pattern.prefix}{file.name}" for pattern in patterns]
    for key, pattern in zip(keys, patterns, strict=True):
        if pattern.match(key):
            return key
    raise UsageFault(
        f"{file}: its name fits none of the contract's paths: {', '.join(one.text for one in patterns)}\n"
        "  bring it with `goldworks deliver FILE KEY`, under a key that fits"
    )


def _write(folder: Path, files: Mapping[PurePosixPath, str]) -> None:
    for path, text in files.items():
        target = folder / path
        exists = target.exists()
        if not exists:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{'kept' if exists else 'wrote':<12}{folder.name}/{path}\n")


def _fault_of_dataset(name: str) -> str:
    return _told(faults_of_dataset(name))


def _fault_of_domain(name: str) -> str:
    return _told(faults_of_name(name, "domain"))


def _fault_of_zone(name: str) -> str:
    return (
        "" if name in available_timezones() else f"{name}: not a time zone; one is written like Europe/Berlin"
    )


def _fault_of_path(path: str) -> str:
    return _told(faults_of(path))


def _told(faults: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{fault}: {remedy}" for fault, remedy in faults)


if __name__ == "__main__":
    sys.exit(main())
