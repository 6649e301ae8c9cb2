"""Without: each accelerator can be taken away, and a checkout or a loader has a name that a database can have."""

import subprocess
from pathlib import Path

import pytest

from bench.loaders import OWN, of_checkout, without
from bench.without import TAKEN_AWAY


@pytest.mark.parametrize("accelerator", TAKEN_AWAY)
def test_the_loader_starts_without_an_accelerator(accelerator):
    command = [*without(accelerator).command, "--help"]
    assert "load" in subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_loaders_have_names_that_databases_can_have():
    names = [OWN, of_checkout(Path("/somewhere/Before-1.2")), without("direct-copy")]
    assert [loader.short_name for loader in names] == ["own", "before_1_2", "without_direct_copy"]
