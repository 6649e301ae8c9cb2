"""The bank's real exports all the way to gold: every answer is that of plain Python over the files."""

import csv
from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.integration.dbt_feeds import Bank
from tests.integration.dbt_session import ROOT

DATA = ROOT.parent / "shared" / "data" / "bank_transactions"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the real exports are not on this machine")
FEEDS = (Bank(),)
LIMIT = 1_000_000_000


class Day:
    """An account's movements of one day, in the order of the file."""

    def __init__(self):
        self.movements, self.withdrawals, self.deposits = 0, Decimal(0), Decimal(0)
        self.withdrawn = self.backdated = 0
        self.opening = self.closing = None

    def add(self, withdrawal, deposit, balance, is_backdated):
        if self.opening is None:
            self.opening = balance + withdrawal - deposit
        self.closing = balance
        self.movements += 1
        self.withdrawals += withdrawal
        self.deposits += deposit
        self.withdrawn += withdrawal != 0
        self.backdated += is_backdated


@pytest.fixture(scope="module")
def accounts():
    """Each account's days, by date. No two files of the real exports are of one account."""
    found = defaultdict(lambda: defaultdict(Day))
    for path in DATA.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                cell = {name.strip(): text.strip() for name, text in row.items()}
                booked, valued = (day_of(cell[name]) for name in ("DATE", "VALUE DATE"))
                amounts = (
                    Decimal(cell[f"{name} AMT"].replace(",", "") or 0)
                    for name in ("WITHDRAWAL", "DEPOSIT", "BALANCE")
                )
                found[cell["Account No"].rstrip("'")][booked].add(*amounts, valued < booked)
    return found


def day_of(text):
    return datetime.strptime(text, "%Y-%m-%d" if text[:4].isdigit() else "%d-%b-%y").date()


@pytest.fixture(scope="module")
def built(world, dbt):
    """The real files loaded, silver and gold built and tested."""
    for path in DATA.glob("*.csv"):
        world.deliver(f"bank_transactions/{path.name}", path.read_bytes())
    world.load()
    return dbt("build", "--select", "tag:bank", "--exclude", "test_type:unit")


@pytest.fixture
def gold(built, reporter):
    return lambda query: set(reporter.execute(query).fetchall())


def total(days, what):
    return sum(getattr(day, what) for day in days.values())


def every_day(days):
    """Date and day of the calendar, None where nothing was booked, with the last balance before it."""
    date, balance = min(days), None
    while date <= max(days):
        day = days.get(date)
        balance = day.closing if day else balance
        yield date, day, balance
        date += timedelta(days=1)


def test_accounts(gold, accounts):
    said = gold(
        """select account_no, first_booking_date, last_booking_date, movements, withdrawals_inr, deposits_inr,
                  opening_balance_inr, closing_balance_inr, is_over_withdrawal_limit from gold.dim_bank_account"""
    )
    assert said == {
        (
            account, min(days), max(days), total(days, "movements"), total(days, "withdrawals"),
            total(days, "deposits"), days[min(days)].opening, days[max(days)].closing,
            total(days, "withdrawals") > LIMIT,
        )
        for account, days in accounts.items()
    }  # fmt: skip


def test_accounts_over_the_limit(gold, accounts):
    said = gold(
        """select account_no, first_booking_date, last_booking_date, withdrawals, withdrawals_inr, excess_inr
           from gold.mart_bank_withdrawals_over_limit"""
    )
    assert said == {
        (account, min(days), max(days), total(days, "withdrawn"), withdrawn, withdrawn - LIMIT)
        for account, days in accounts.items()
        if (withdrawn := total(days, "withdrawals")) > LIMIT
    }
    assert 0 < len(said) < len(accounts)


def test_daily_balances(gold, accounts):
    said = gold(
        """select account_no, balance_date, movements, withdrawals_inr, deposits_inr, closing_balance_inr
           from gold.mart_bank_daily_balance"""
    )
    assert said == {
        (account, date, day.movements, day.withdrawals, day.deposits, balance)
        if day
        else (account, date, 0, Decimal(0), Decimal(0), balance)
        for account, days in accounts.items()
        for date, day, balance in every_day(days)
    }


def test_months(gold, accounts):
    months = defaultdict(lambda: [0, Decimal(0), Decimal(0), None])
    for account, days in accounts.items():
        for date, day, balance in every_day(days):
            month = months[account, date.replace(day=1)]
            month[3] = balance
            if day:
                for place, name in enumerate(("movements", "withdrawals", "deposits")):
                    month[place] += getattr(day, name)
    said = gold(
        """select account_no, month_start, movements, withdrawals_inr, deposits_inr, closing_balance_inr, net_flow_inr
           from gold.mart_bank_monthly_flow"""
    )
    assert said == {(*key, *sums, sums[2] - sums[1]) for key, sums in months.items()}


def test_backdated_movements(gold, accounts):
    said = gold("select account_no, count(*) from gold.fct_bank_movement where is_backdated group by 1")
    backdated = {account: total(days, "backdated") for account, days in accounts.items()}
    assert said == {(account, count) for account, count in backdated.items() if count}
