"""Fixtures for tests of the lake: the contract of the fleet, a folder to archive into, and a run of the archive."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from data_ingestion.contract import Contract, read_contract
from data_ingestion.lake.archive import archive
from data_ingestion.lake.ledger import LakeLedger
from data_ingestion.landing import FolderLanding
from tests.integration.lake.records import EVENTS
from tests.integration.limits import without_limits


@pytest.fixture
def events() -> Contract:
    return without_limits(replace(read_contract(EVENTS), recheck=None))


@pytest.fixture
def lake(tmp_path: Path) -> FolderLanding:
    (tmp_path / "lake").mkdir()
    return FolderLanding(tmp_path / "lake")


@pytest.fixture
def keep(landing, lake, warehouse) -> Callable:
    return lambda contract: archive(contract, landing, lake, LakeLedger(warehouse.session))
