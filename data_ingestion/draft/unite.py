"""Unite: samples of several files of one dataset, as one. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from data_ingestion.draft.sample import Sample
from data_ingestion.errors import UsageFault


def unite(samples: Mapping[str, Sample]) -> Sample:
    """The columns of all files, in the order in which they are met; headers that differ in case and signs are one.

    Raises `UsageFault` where the files can't be read in the same way.
    """
    (first_file, first), *others = samples.items()
    for file, sample in others:
        if (way := _way(sample)) != _way(first):
            raise UsageFault(
                f"{file}: needs other settings than {first_file}: {way} instead of {_way(first)}\n"
                "  all files of one path share their settings: draft each kind separately, and give the contract "
                "a server for each"
            )
    if not others:
        return first
    columns: dict[str, list[Any]] = {}
    spelt: dict[str, dict[str, None]] = {}  # by the header without case and signs: as files have it, in order
    met = dict.fromkeys(samples, frozenset[str]())
    rows = 0
    for file, sample in samples.items():
        alike = {_plain(header): header for header in sample.columns}
        if len(alike) < len(sample.columns):  # two headers of one file are two columns
            alike = {header: header for header in sample.columns}
        for plain, header in alike.items():
            spelt.setdefault(plain, {})[header] = None
            columns.setdefault(plain, [pa.nulls(rows, pa.string())]).append(sample.columns[header])
        rows += sample.rows
        for plain, parts in columns.items():
            if plain not in alike:
                parts.append(pa.nulls(sample.rows, pa.string()))
        met[file] = frozenset(alike)
    names = {plain: next(iter(headers)) for plain, headers in spelt.items()}
    return replace(
        first,
        columns={names[plain]: pa.concat_arrays(parts) for plain, parts in columns.items()},
        rows=rows,
        is_whole=all(sample.is_whole for sample in samples.values()),
        left_out={name: why for sample in samples.values() for name, why in sample.left_out.items()},
        files=len(samples),
        spellings={names[plain]: tuple(headers)[1:] for plain, headers in spelt.items() if len(headers) > 1},
        absent=frozenset(names[plain] for plain in columns if not all(plain in one for one in met.values())),
    )


def _plain(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.casefold()) or header


def _way(sample: Sample) -> str:
    """How a file is read, in the words of the contract."""
    said = [sample.format, *(f"{name} {value!r}" for name, value in sorted(sample.settings.items()))]
    return ", ".join(said)
