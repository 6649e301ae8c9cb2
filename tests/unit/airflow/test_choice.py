"""Choice: what the form or a caller of the API asks for, and what of it could match nothing."""

from dataclasses import replace
from pathlib import Path

import pytest
from goldworks_dags.choice import chosen, left_out
from goldworks_dags.domain import Domain

from data_ingestion.contract import Pattern, read_contract
from data_ingestion.errors import UsageFault
from data_ingestion.plan import Choice

TIMELESS = read_contract(Path("contracts/bank/bank_transactions.odcs.yaml"))
DATED = replace(TIMELESS, dataset="dated", pattern=Pattern("dated/{YYYY}/{MM}/*.csv"))
DOMAIN = Domain("bank", (TIMELESS, DATED), {})
NOTHING = (
    {},
    {"datasets": None, "first_period": None},
    {"datasets": [], "first_period": "", "last_period": ""},
)


@pytest.mark.parametrize("params", NOTHING)
def test_nothing_chosen_is_everything_however_it_is_said(params):
    assert chosen(DOMAIN, params) == ([TIMELESS, DATED], Choice())


def test_periods_take_what_has_periods_and_the_rest_is_told_with_the_reason():
    contracts, choice = chosen(DOMAIN, {"first_period": "2026-01", "full_refresh": True})
    assert (contracts, choice) == ([TIMELESS, DATED], Choice("2026-01", "", True))
    assert left_out(TIMELESS, choice, 8, 8) == (
        "bank_transactions: 8 of 8 files are outside the chosen periods (2026-01 to the last): "
        "this dataset has no periods"
    )
    assert left_out(DATED, choice, 2, 8).endswith(
        "2 of 8 files are outside the chosen periods (2026-01 to the last)"
    )
    assert left_out(DATED, choice, 0, 8) == ""


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"datasets": ["bank_transactions"], "last_period": "2026"},
            "bank_transactions: periods were chosen, but",
        ),
        (
            {"datasets": ["dated"], "first_period": "2026-02", "last_period": "2026-01"},
            "the range 2026-02 to 2026-01 is empty",
        ),
        ({"first_period": "2026-02-30"}, "'2026-02-30' is not a period\n  write 2026"),
        ({"datasets": ["other"]}, "for other\n  datasets of bank: bank_transactions, dated"),
    ],
)
def test_what_can_match_nothing_is_refused(params, message):
    with pytest.raises(UsageFault, match=message):
        chosen(DOMAIN, params)
