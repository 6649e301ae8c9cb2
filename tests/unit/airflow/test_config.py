"""Airflow's settings that are the same wherever it runs."""

import configparser
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def styles() -> dict[str, dict[str, str]]:
    config = configparser.ConfigParser(interpolation=None)
    config.read(ROOT / "airflow" / "airflow.cfg")
    theme = json.loads(config["api"]["theme"])
    assert set(theme) == {"globalCss"}
    return dict(theme["globalCss"])


def test_the_badge_of_a_triggerer_that_never_runs_is_left_out_and_nothing_else() -> None:
    hidden = [selector for selector, style in styles().items() if "none" in style.get("display", "")]
    assert len(hidden) == 1 and "state-badge" in hidden[0]


def test_the_page_of_a_dag_opens_large_enough_to_read() -> None:
    sizes = [
        style["minWidth"]
        for selector, style in styles().items()
        if "dialog__body" in selector and "minWidth" in style
    ]
    assert sizes == ["min(960px, 90vw) !important"]
