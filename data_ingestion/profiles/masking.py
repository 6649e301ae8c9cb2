"""Masking: which relations of a domain are profiled, and which columns are masked since they may name a person. Pure.

In raw the contract says it of each column. A model may derive anything from anything, so unmarked is not public there:
what its author has not marked is shown only where it can be seen to be harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from data_ingestion.contract import Contract
from data_ingestion.contract.names import TEXT
from data_ingestion.manifest import LAYERS, Manifest, Model, models_of
from data_ingestion.profiles.facts import Relation

PUBLIC = "public"
# What our own bookkeeping calls its columns; `_key` is a hash of a row's content and is left out.
BOOKKEEPING = ("_drop_id", "_load_id", "_line", "_occurrence")
# Beside bronze's views, which rows a load touched: nothing is in them that is not in the view.
CHANGES = "__changes"


def relations_of(contracts: Sequence[Contract], manifest: Manifest | None) -> list[Relation]:
    """The raw tables of a domain's contracts, and its models if dbt's manifest is there, from raw to gold."""
    (domain,) = {contract.domain for contract in contracts}
    raw = [_raw(contract) for contract in contracts]
    models = [(model, _marks_of_model(model)) for model in _models(domain, manifest)] if manifest else []
    plain = {
        name for contract in contracts for name, mark in _marks_of(contract).items() if mark in (None, PUBLIC)
    }
    sensitive = {
        name
        for marks in (*map(_marks_of, contracts), *(marks for _, marks in models))
        for name, mark in marks.items()
        if mark not in (None, PUBLIC)
    }
    derived = [_model(model, marks, plain - sensitive, sensitive) for model, marks in models]
    return [*raw, *sorted(derived, key=lambda one: (LAYERS.index(one.layer), one.name))]


def _raw(contract: Contract) -> Relation:
    marks = _marks_of(contract)
    shown = {name for name, mark in marks.items() if mark in (None, PUBLIC)}
    return Relation(
        contract.domain,
        "raw",
        "raw",
        contract.dataset,
        frozenset({*shown, *BOOKKEEPING}),
        marks=_given(marks),
    )


def _marks_of(contract: Contract) -> dict[str, str | None]:
    """What the contract says of each column of raw; a cell kept as text says what its column says."""
    marks = {column.name: column.classification for column in contract.columns}
    texts = {f"{column.name}{TEXT}": column.classification for column in contract.columns if column.keep_text}
    return {**marks, **texts}


def _models(domain: str, manifest: Manifest) -> Iterable[Model]:
    """The domain's models, but for those that only say which rows a load touched."""
    return (
        one for one in models_of(manifest) if one.domain == domain and not one.name.endswith(CHANGES)
    )  # fmt: skip


def _marks_of_model(model: Model) -> dict[str, str | None]:
    return {name: _mark(column) for name, column in model.columns.items()}


def _mark(column: Mapping[str, Any]) -> str | None:
    meta = {**(column.get("meta") or {}), **((column.get("config") or {}).get("meta") or {})}
    mark = meta.get("classification")
    return None if mark is None else str(mark)


def _model(model: Model, marks: Mapping[str, str | None], plain: set[str], sensitive: set[str]) -> Relation:
    """A model with what may be shown of it.

    Marked as public; our bookkeeping; called like a column that the contracts leave open, and like none that is marked
    anywhere in the domain. In a model that holds nothing marked also what it describes and what can't name a person.
    """
    unmarked = {name for name, mark in marks.items() if mark is None and name not in sensitive}
    holds_marked = bool(sensitive & marks.keys())
    return Relation(
        model.domain,
        model.layer,
        model.schema,
        model.relation,
        frozenset(
            {*BOOKKEEPING, *(name for name, mark in marks.items() if mark == PUBLIC), *(unmarked & plain)}
        ),
        frozenset() if holds_marked else frozenset(unmarked),
        _given(marks),
    )


def _given(marks: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, mark) for name, mark in sorted(marks.items()) if mark is not None)
