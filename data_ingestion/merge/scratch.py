"""Scratch: what the tables of a merge hold, for warehouses that can't make a table within a transaction."""

from __future__ import annotations

from collections.abc import Mapping

from data_ingestion.checks import LINE
from data_ingestion.merge.table import POSITION, RawTable


def scratch_tables(
    table: RawTable, types: Mapping[str, str], *, positions: bool
) -> dict[str, dict[str, str]]:
    """The scratch tables that statements over a dataset's tables fill, by name their columns with types.

    `types` are those of the raw table's columns, former ones too; with `positions` the stage is for several drops.
    A column `_position` is left empty by statements over one drop alone.
    """
    key = {name: types[name] for name in table.key}
    place = {POSITION: "integer", LINE: "bigint"}
    everything = {name: types[name] for name in table.all_columns}
    return {
        "_repeated": {**place, "kept_line": "bigint"},
        "_older": place,
        "_fates": {
            **table.stage_types(positions=positions),
            **dict.fromkeys(("_own_drop", "_own_load", "_held_by"), "bigint"),
            "_fate": "text",
        },
        "_released": {**key, "_drop_id": "bigint", "load_id": "bigint"},
        "_restored": {**everything, "_for_drop": "bigint", "_for_load": "bigint"},
        "_contested": key,
        "_batch_keys": {**key, "_member": "integer"},
    }
