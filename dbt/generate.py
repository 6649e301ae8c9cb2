"""Generate: dbt's bronze layer from the contracts, so that a new dataset needs no SQL and no YAML.

    python dbt/generate.py            write dbt/models/bronze/<domain>/
    python dbt/generate.py --check    write nothing; exit 1 with the difference when the files are not these

A domain's folder holds its sources (freshness, keys, required columns, accepted values), and for each dataset two
views: `stg_<dataset>` one to one with raw, and `stg_<dataset>__changes`, which keys each load touched.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from data_ingestion.contract import Column, Contract, ContractError, KeyRule, LogicalType, read_contracts
from data_ingestion.quoting import quoted
from data_ingestion.yaml_text import yaml_text

ROOT = Path(__file__).resolve().parent.parent
BRONZE = PurePosixPath("models/bronze")

# No CTE on top, as other models have: Postgres finds single rows of a view by an index only where it has none.
ROWS_VIEW = """\
{origin}

select
    {columns}
from {rows}
"""

CHANGES_VIEW = """\
{origin}

with

brought as (

    select
        {key},
        _load_id,
        false as is_taken
    from {rows}

),

taken as (

    select
        {key},
        _by_load_id as _load_id,
        true as is_taken
    from {history}

)

select * from brought
union all
select * from taken
"""

# What is withdrawn, or read anew under another contract, was delivered before.
LOADED_AT = """\
select max(ended_at) from {{{{ source('ops', 'loads') }}}} where dataset = '{dataset}' and state = 'loaded' \
and kind not in ('withdrawal', 'replay', 'rebuild')"""

METADATA = {
    "_drop_id": "{{ doc('raw_drop_id') }}",
    "_load_id": "{{ doc('raw_load_id') }}",
    "_line": "{{ doc('raw_line') }}",
}


def generate(contracts: Sequence[Contract]) -> dict[PurePosixPath, str]:
    """Every file of the bronze layer by its path in the dbt project."""
    files: dict[PurePosixPath, str] = {}
    in_order = sorted(contracts, key=lambda contract: (contract.domain, contract.dataset))
    for domain, members in groupby(in_order, key=lambda contract: contract.domain):
        datasets = list(members)
        folder = BRONZE / domain
        files[folder / f"_{domain}__sources.yml"] = sources(domain, datasets)
        files[folder / f"_{domain}__models.yml"] = models(domain, datasets)
        for contract in datasets:
            files[folder / f"stg_{contract.dataset}.sql"] = rows_view(contract)
            files[folder / f"stg_{contract.dataset}__changes.sql"] = changes_view(contract)
    return files


def rows_view(contract: Contract) -> str:
    """SQL of `stg_<dataset>`: the raw table with the contract's types and the key under its own name."""
    lines = [f"_key as {quoted(contract.key.name)}"] if _has_raw_key(contract) else []
    for name, _, data_type in _columns(contract):
        lines.append(f"cast({quoted(name)} as {_type(data_type)}) as {quoted(name)}")
    lines += ["_occurrence"] if _has_raw_key(contract) else []
    lines += list(METADATA)
    return ROWS_VIEW.format(
        origin=_origin(contract, "--"),
        rows=_source(contract, contract.dataset),
        columns=",\n    ".join(lines),
    )


def changes_view(contract: Contract) -> str:
    """SQL of `stg_<dataset>__changes`: rows that a load brought, and rows that a load took out of raw."""
    key = [quoted(name) for name in contract.key.columns]
    if _has_raw_key(contract):
        key = [f"_key as {quoted(contract.key.name)}"]
    return CHANGES_VIEW.format(
        origin=_origin(contract, "--"),
        rows=_source(contract, contract.dataset),
        history=_source(contract, f"{contract.dataset}__history"),
        key=",\n        ".join(key),
    )


def sources(domain: str, contracts: Sequence[Contract]) -> str:
    """YAML of the raw tables: what they are, how fresh they must be, and what holds for their rows."""
    tables: list[dict[str, Any]] = []
    for contract in contracts:
        table: dict[str, Any] = {"name": contract.dataset, "description": _prose(contract.description)}
        if contract.warn_after_hours or contract.error_after_hours:
            table["config"] = _freshness(contract)
        if tests := _table_tests(contract):
            table["data_tests"] = tests
        table["columns"] = list(_source_columns(contract))
        tables.append(table)
        tables.append(
            {
                "name": f"{contract.dataset}__history",
                "description": f"{{{{ doc('raw_history') }}}} Of `{contract.dataset}`.",
                "columns": [
                    {"name": "_fate", "description": "{{ doc('raw_fate') }}"},
                    {"name": "_by_load_id", "description": "{{ doc('raw_by_load_id') }}"},
                ],
            }
        )
    source = {
        "name": domain,
        "schema": "raw",
        "description": f"What the loader loaded for the domain {domain}, one table per dataset.",
        "config": {"tags": [domain]},
        "tables": tables,
    }
    return _yaml(contracts, {"version": 2, "sources": [source]})


def models(domain: str, contracts: Sequence[Contract]) -> str:
    """YAML of the views: what each column means and how sensitive it is."""
    described: list[dict[str, Any]] = []
    for contract in contracts:
        keys = [contract.key.name] if _has_raw_key(contract) else list(contract.key.columns)
        gone = f"Key in `stg_{contract.dataset}`, if the row is still there."
        described.append(
            {
                "name": f"stg_{contract.dataset}",
                "description": _prose(contract.description),
                "config": {"tags": [domain]},
                "columns": list(_model_columns(contract)),
            }
        )
        described.append(
            {
                "name": f"stg_{contract.dataset}__changes",
                "description": (
                    f"One row per load and row that it touched in `{contract.dataset}`: what an incremental model has "
                    "to do again after its mark."
                ),
                "config": {"tags": [domain]},
                "columns": [
                    *({"name": key, "description": gone} for key in keys),
                    {"name": "_load_id", "description": "Load that brought the row, or took it out of raw."},
                    {
                        "name": "is_taken",
                        "description": "Whether the load took the row out of raw: it may have come back since.",
                    },
                ],
            }
        )
    return _yaml(contracts, {"version": 2, "models": described})


def differences(wanted: Mapping[PurePosixPath, str], found: Mapping[PurePosixPath, str]) -> str:
    """A unified diff from the files found to those wanted, '' when they are the same."""
    parts: list[str] = []
    for path in sorted({*wanted, *found}):
        before, after = found.get(path, ""), wanted.get(path, "")
        parts += difflib.unified_diff(
            before.splitlines(keepends=True),
            after.splitlines(keepends=True),
            f"{path}" if path in found else "/dev/null",
            f"{path}" if path in wanted else "/dev/null",
        )
    return "".join(parts)


def read_bronze(project: Path) -> dict[PurePosixPath, str]:
    """What lies in the folders of the domains now; all of it is ours to write and to remove."""
    return {
        PurePosixPath(path.relative_to(project).as_posix()): path.read_text()
        for path in sorted((project / BRONZE).glob("*/*"))
        if path.is_file()
    }


def write_bronze(project: Path, files: Mapping[PurePosixPath, str]) -> None:
    """Make the folders of the domains hold these files and no others; equal files are not touched."""
    found = read_bronze(project)
    for path in found.keys() - files.keys():
        (project / path).unlink()
        if not any((project / path).parent.iterdir()):
            (project / path).parent.rmdir()
    for path, text in files.items():
        if found.get(path) != text:
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_text(text)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="dbt/generate.py", description="dbt's bronze layer from the contracts"
    )
    parser.add_argument("--check", action="store_true", help="only compare; exit 1 when files differ")
    parser.add_argument("--contracts", type=Path, default=ROOT / "contracts", metavar="DIR")
    parser.add_argument("--project", type=Path, default=ROOT / "dbt", metavar="DIR", help="the dbt project")
    options = parser.parse_args(arguments)
    try:
        files = generate(read_contracts(options.contracts))
    except ContractError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not options.check:
        write_bronze(options.project, files)
        return 0
    difference = differences(files, read_bronze(options.project))
    if difference:
        sys.stdout.write(difference)
        sys.stderr.write("dbt/models/bronze differs from the contracts\n  run `make generate` and commit\n")
    return 1 if difference else 0


def _has_raw_key(contract: Contract) -> bool:
    return contract.key.rule is KeyRule.OCCURRENCE


def _columns(contract: Contract) -> Iterable[tuple[str, Column, str]]:
    """Name, column and type of what raw has for the contract's columns, kept texts included."""
    for column in contract.columns:
        yield column.name, column, column.physical_type.replace(",", ", ")
        if column.keep_text:
            yield f"{column.name}__text", column, "text"


def _source_columns(contract: Contract) -> Iterable[dict[str, Any]]:
    if _has_raw_key(contract):
        yield {
            "name": "_key",
            "description": "{{ doc('raw_key') }}",
            "data_tests": ["unique", "not_null"],
        }
    for column in contract.columns:
        tests: list[Any] = []
        if not _has_raw_key(contract) and contract.key.columns == (column.name,):
            tests.append("unique")
        if column.required or (not _has_raw_key(contract) and column.name in contract.key.columns):
            tests.append("not_null")
        if column.accepted_values:
            quote = column.type not in (LogicalType.INTEGER, LogicalType.NUMBER, LogicalType.BOOLEAN)
            # dbt puts them between quotes as they are
            values = [_literal(value.replace("'", "''")) for value in column.accepted_values]
            arguments = {"values": values, **({} if quote else {"quote": False})}
            tests.append({"accepted_values": {"arguments": arguments}})
        if tests:
            yield {"name": column.name, **_quoting(column.name), "data_tests": tests}


def _table_tests(contract: Contract) -> list[Any]:
    if _has_raw_key(contract) or len(contract.key.columns) == 1:
        return []
    return [{"unique_together": {"arguments": {"columns": [quoted(name) for name in contract.key.columns]}}}]


def _model_columns(contract: Contract) -> Iterable[dict[str, Any]]:
    if _has_raw_key(contract):
        combined = ", ".join(contract.key.columns)
        yield {
            "name": contract.key.name,
            "description": f"Key of the row, made of {combined} and the occurrence number.",
        }
    for name, column, data_type in _columns(contract):
        text = name != column.name
        described = f"`{column.name}` exactly as the file had it." if text else _described(contract, column)
        yield {
            "name": name,
            "description": described,
            "data_type": data_type,
            **_quoting(name),
            **_sensitivity(column),
        }
    if _has_raw_key(contract):
        yield {"name": "_occurrence", "description": "{{ doc('raw_occurrence') }}"}
    for name, description in METADATA.items():
        yield {"name": name, "description": description}


def _described(contract: Contract, column: Column) -> str:
    """The contract's words, and which kinds of records have the column."""
    kinds = contract.kinds.having(column.name) if contract.kinds else ()
    kind_texts = [f"`{' '.join(kind.values)}`" for kind in kinds]
    return _prose(
        f"{column.description} Of {' and '.join(kind_texts)}." if kind_texts else column.description
    ).strip()


def _freshness(contract: Contract) -> dict[str, Any]:
    """Raw rows carry no time: what counts is when the dataset's last load ended."""
    limits = {"warn_after": contract.warn_after_hours, "error_after": contract.error_after_hours}
    return {
        "freshness": {name: {"count": hours, "period": "hour"} for name, hours in limits.items() if hours},
        "loaded_at_query": LOADED_AT.format(dataset=contract.dataset),
    }


def _source(contract: Contract, table: str) -> str:
    return f"{{{{ source('{contract.domain}', '{table}') }}}}"


def _type(data_type: str) -> str:
    """Those of which not every warehouse has one of this name, by the macro that knows (dbt/macros/types.sql)."""
    return f"{{{{ type_of('{data_type}') }}}}" if data_type in ("text", "uuid") else data_type


def _quoting(name: str) -> dict[str, bool]:
    return {} if quoted(name) == name else {"quote": True}


def _sensitivity(column: Column) -> dict[str, Any]:
    return {"config": {"meta": {"classification": column.classification}}} if column.classification else {}


def _prose(text: str) -> str:
    return _literal(" ".join(text.split()))


def _literal(text: str) -> str:
    """Text that means itself where dbt expects a Jinja template."""
    return re.sub(r"\{[{%#]", lambda found: "{{ '" + found.group() + "' }}", text)


def _origin(contract: Contract, mark: str) -> str:
    return (
        f"{mark} Made by dbt/generate.py from contracts/{contract.domain}/{contract.path.name}; change that,\n"
        f"{mark} then run `make generate`."
    )


def _yaml(contracts: Sequence[Contract], content: dict[str, Any]) -> str:
    origin = "\n".join(_origin(contract, "#") for contract in contracts)
    return f"{origin}\n\n{yaml_text(content)}"


if __name__ == "__main__":
    sys.exit(main())
