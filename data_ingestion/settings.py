"""Settings: where the loader finds its warehouse, its landing and its contracts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from data_ingestion.errors import OperatorFault


@dataclass(frozen=True)
class Settings:
    """What a load works on. An option on the command line wins over the environment."""

    warehouse_url: str
    landing_url: str
    contracts: Path

    @classmethod
    def from_environment(
        cls,
        environment: Mapping[str, str] | None = None,
        *,
        warehouse_url: str | None = None,
        landing_url: str | None = None,
        contracts: Path | None = None,
    ) -> Settings:
        """Settings from `GOLDWORKS_WAREHOUSE_URL`, `GOLDWORKS_LANDING_URL` and `GOLDWORKS_CONTRACTS`.

        Each may come from a file instead, named by the same variable with `_FILE` added, as container
        secrets do. Raises `OperatorFault` where a setting is nowhere.
        """
        known = os.environ if environment is None else environment
        return cls(
            warehouse_url or read_setting(known, "GOLDWORKS_WAREHOUSE_URL", "--warehouse"),
            landing_url or read_setting(known, "GOLDWORKS_LANDING_URL", "--landing"),
            contracts or Path(read_setting(known, "GOLDWORKS_CONTRACTS", "--contracts", default="contracts")),
        )


def read_setting(environment: Mapping[str, str], name: str, option: str, default: str | None = None) -> str:
    """One setting, from the variable or from the file that `<name>_FILE` names."""
    if value := environment.get(name):
        return value
    if path := environment.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise OperatorFault(f"{name}_FILE: {path} can't be read: {error.strerror}") from error
    if default is not None:
        return default
    raise OperatorFault(f'{name} is not set\n  give {option}, or run `eval "$(make -s env)"` in this shell')


def source_url(environment: Mapping[str, str], name: str) -> str:
    """Where an operational database is that a contract calls `name`, login included."""
    return read_setting(environment, f"GOLDWORKS_SOURCE_{name.upper()}_URL", "it in the environment")
