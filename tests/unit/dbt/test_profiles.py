"""Profiles: where dbt may build."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]


def test_each_target_is_one_that_the_settings_offer():
    targets = yaml.safe_load((ROOT / "dbt/profiles.yml").read_text())["goldworks"]["outputs"]
    settings = (ROOT / "docs/reference/settings.md").read_text()
    [offered] = re.findall(r"^\| `DBT_TARGET` \|.*$", settings, re.MULTILINE)

    assert [target for target in targets if f"`{target}`" not in offered] == []
