"""What containers run, run here: the scripts name places of an image, and a test's copy names places of its own."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def scripts() -> Path:
    return ROOT / "docker"
