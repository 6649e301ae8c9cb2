"""Quarantine: bad rows kept aside while a drop is read."""

from data_ingestion.checks import BadRow
from data_ingestion.quarantine import REASONS_COUNTED, BadRows


def test_reasons_are_told_by_column_only_as_far_as_a_file_does_not_invent_them():
    bad = BadRows()
    bad.add(BadRow(line, "unknown_key", f"key{line}", "", b"") for line in range(REASONS_COUNTED + 5))
    assert len(bad.reasons) == REASONS_COUNTED + 1
    assert bad.reasons["unknown_key"] == 5
    assert [row.line for row in bad] == list(range(REASONS_COUNTED + 5))
    bad.close()
