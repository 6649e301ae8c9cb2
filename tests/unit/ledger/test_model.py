"""Facts of the ledger: many columns of one type, so that which is which must not depend on their order."""

from datetime import UTC, datetime

import pytest

from data_ingestion.ledger import Fates, Kind, LoadReport, LoadState
from data_ingestion.ledger.model import KnownObject, ObjectState
from data_ingestion.merge.identify import Standing

MOMENT = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("make", "named", "next_one"),
    [
        (LoadReport, ("things", "a.csv", Kind.NEW, LoadState.LOADED), Fates()),
        (KnownObject, ("a.csv", ObjectState.IN_FORCE, "e1", 3, MOMENT, "things"), "2026-03"),
        (Standing, (ObjectState.IN_FORCE, "things"), "e1"),
    ],
)
def test_of_a_fact_with_many_columns_only_what_identifies_it_goes_without_a_name(make, named, next_one):
    assert make(*named)
    with pytest.raises(TypeError, match="positional"):
        make(*named, next_one)
