"""YAML text: as people write it by hand, lists set in. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml


def yaml_text(content: Mapping[str, Any]) -> str:
    """The content in its own order."""
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)
