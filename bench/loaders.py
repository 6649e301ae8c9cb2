"""Loaders: this checkout's, and those it is held against: another checkout's, or its own without an accelerator."""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.server import ROOT

PROGRAM = (sys.executable, "-m", "data_ingestion")


@dataclass(frozen=True)
class Loader:
    """A loader by its name, the command that starts it, and the checkout that it is of."""

    name: str
    command: tuple[str, ...]
    root: Path

    @property
    def short_name(self) -> str:
        """The name as a part of other names, of lower-case letters."""
        return re.sub(r"\W+", "_", self.name.lower()) or "own"


OWN = Loader("", PROGRAM, ROOT)


def of_checkout(folder: Path) -> Loader:
    """The loader of another checkout, run with this one's environment."""
    return Loader(folder.name, PROGRAM, folder.resolve())


def without(accelerator: str) -> Loader:
    """This checkout's loader, which goes the plain way where the accelerator would help."""
    return Loader(f"without {accelerator}", (sys.executable, "-m", "bench.without", accelerator), ROOT)
