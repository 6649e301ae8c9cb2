from pathlib import Path

from goldworks_dags.domain import Domain
from goldworks_dags.page import RUNBOOK, page

from data_ingestion.contract import read_contract

ROOT = Path(__file__).resolve().parents[3]
BANK = Domain(
    "bank",
    (read_contract(ROOT / "contracts/bank/bank_transactions.odcs.yaml"),),
    {"silver": ("int_bank_movements",), "gold": ("dim_bank_account",)},
)

ORDERS = Domain(
    "orders",
    (read_contract(ROOT / "contracts/orders/order_changes.odcs.yaml"),),
    {"silver": ("int_orders",)},
)


def test_the_page_tells_what_lands_by_which_key_and_how_fresh() -> None:
    told = page(BANK)
    assert (
        "`bank_transactions/**/*.csv` or `bank_transactions/**/*.xlsx`, into `raw.bank_transactions`" in told
    )
    assert "identified by `account_no`, `booking_date`" in told
    assert "late after 24 h without a new drop, an error after 72 h" in told
    assert "more than 5% of a drop's rows, and more than 20" in told


def test_the_page_of_a_captured_domain_names_its_source() -> None:
    told = page(ORDERS)
    assert "**captured** from `public.customers`, " in told
    assert "of the connection `source_shop`" in told
    assert "| `capture` | " in told and "| `capture` | " not in page(BANK)


def test_the_page_lists_gold_and_nothing_further_in() -> None:
    told = page(BANK)
    assert "`gold.dim_bank_account`" in told
    assert "int_bank_movements" not in told


def test_the_runbook_is_a_link_where_the_settings_say_where_docs_are(monkeypatch) -> None:
    monkeypatch.delenv("GOLDWORKS_DOCS_URL", raising=False)
    assert f"More: `{RUNBOOK}`." in page(BANK)
    monkeypatch.setenv("GOLDWORKS_DOCS_URL", "https://git.example.com/docs/")
    assert f"[{RUNBOOK}](https://git.example.com/docs/runbooks/dag_is_red.md)" in page(BANK)


def test_the_runbook_it_points_to_has_a_chapter_for_each_of_its_tasks() -> None:
    runbook = (ROOT / RUNBOOK).read_text()
    for task in ("capture", "discover", "load", "gate", "transform", "publish", "profile", "verdict"):
        assert f"`{task}`" in page(ORDERS)
        assert f"`{task}`" in runbook


def test_a_domain_whose_records_are_archived_says_so_and_what_to_do_when_that_fails() -> None:
    fleet = Domain(
        "fleet", (read_contract(ROOT / "contracts/fleet/vehicle_events.odcs.yaml"),), {"gold": ("mart",)}
    )
    assert "archived" not in page(BANK)
    assert "**archived** in the lake" in page(fleet)
    runbook = (ROOT / RUNBOOK).read_text()
    for task in ("archive", "compact"):
        assert f"`{task}`" in page(fleet)
        assert f"`{task}`" in runbook
