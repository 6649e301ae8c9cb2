"""Reading back: what an export of Superset must agree with, and what it may differ in."""

import copy
from collections.abc import Callable
from dataclasses import replace as with_changes
from pathlib import Path
from typing import Any

import pytest
from asset_files import Asset, Assets, Kind, read_assets
from import_assets import main, read_back

Change = Callable[[dict[str, Any]], object]


@pytest.fixture
def wanted(assets_copy: Path) -> Assets:
    return read_assets(assets_copy)


def exported(wanted: Assets, kind: Kind, name: str, change: Change) -> Assets:
    """What Superset would export if it held all of `wanted`, but with one asset changed."""

    def changed(asset: Asset) -> Asset:
        content = copy.deepcopy(asset.content)
        if asset.kind is kind and asset.name == name:
            change(content)
        return with_changes(asset, content=content)

    return Assets(tuple(changed(asset) for asset in wanted.all))


def renumber(dashboard: dict[str, Any]) -> None:
    for node in dashboard["position"].values():
        if isinstance(node, dict) and node["type"] == "CHART":
            node["meta"]["chartId"] += 1000
    for native in dashboard["metadata"]["native_filter_configuration"]:
        native["scope"]["excluded"] = [number + 1000 for number in native["scope"]["excluded"]]


DASHBOARD = "Bank: accounts and movements"
LINE = "Daily balance, INR million"
MART = "mart_bank_daily_balance"


@pytest.mark.parametrize(
    ("kind", "name", "change"),
    [
        (Kind.DASHBOARD, DASHBOARD, renumber),
        (Kind.DASHBOARD, DASHBOARD, lambda d: d["metadata"].update(map_label_colors={"7300215": "#000"})),
        (Kind.DATASET, MART, lambda d: d["columns"].reverse()),
        (Kind.DATASET, MART, lambda d: d["metrics"].reverse()),
        (Kind.DATASET, MART, lambda d: d.update(cache_timeout=None)),
        (Kind.CHART, LINE, lambda c: c["params"].update(datasource="3__table")),
    ],
)
def test_what_superset_numbers_orders_or_adds_is_no_difference(
    wanted: Assets, kind: Kind, name: str, change: Change
) -> None:
    assert list(read_back(wanted, exported(wanted, kind, name, change))) == []


@pytest.mark.parametrize(
    ("kind", "name", "change", "place"),
    [
        (Kind.DATABASE, "Warehouse", lambda d: d.update(sqlalchemy_uri="postgresql://x:X@h/d"), "sqlalchemy_uri"),
        (Kind.DATASET, MART, lambda d: d["columns"].pop(), "columns"),
        (Kind.DATASET, MART, lambda d: d["metrics"][0].update(expression="1"), "expression"),
        (Kind.CHART, LINE, lambda c: c["params"].update(groupby=[]), "groupby"),
        (Kind.CHART, LINE, lambda c: c.update(dataset_uuid="other"), "dataset_uuid"),
        (Kind.DASHBOARD, DASHBOARD, lambda d: d["position"].pop("CHART-latest"), "CHART-latest"),
        (
            Kind.DASHBOARD,
            DASHBOARD,
            lambda d: d["metadata"]["native_filter_configuration"].append(
                d["metadata"]["native_filter_configuration"][0]
            ),
            "native_filter_configuration",
        ),
        (
            Kind.DASHBOARD,
            DASHBOARD,
            lambda d: d["metadata"]["native_filter_configuration"][1]["scope"].update(excluded=[101, 107, 108, 111]),
            "excluded",
        ),
    ],
)  # fmt: skip
def test_what_a_user_would_see_is_a_difference(
    wanted: Assets, kind: Kind, name: str, change: Change, place: str
) -> None:
    differences = list(read_back(wanted, exported(wanted, kind, name, change)))
    assert differences
    assert all(place in difference for difference in differences)


def test_an_asset_that_is_not_there(wanted: Assets) -> None:
    without = Assets(tuple(asset for asset in wanted.all if asset.name != LINE))
    assert list(read_back(wanted, without)) == ["charts/bank/daily_balance.yaml: is not in Superset"]


def test_no_password_no_import(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("SOME_PASSWORD", raising=False)
    assert main(["--user", "ann", "--password-env", "SOME_PASSWORD"]) == 1
    assert "the password of 'ann': SOME_PASSWORD is not set" in capsys.readouterr().err


def test_the_password_may_come_from_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("secret\n")
    monkeypatch.delenv("SUPERSET_PASSWORD", raising=False)
    monkeypatch.setenv("SUPERSET_PASSWORD_FILE", str(tmp_path / "password"))
    assert main(["--url", "http://127.0.0.1:1"]) == 1
    assert "http://127.0.0.1:1: does not answer" in capsys.readouterr().err


def test_a_superset_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SUPERSET_PASSWORD", "secret")
    assert main(["--url", "http://127.0.0.1:1", "--user", "ann"]) == 1
    complaint = capsys.readouterr().err
    assert "http://127.0.0.1:1: does not answer" in complaint
    assert "secret" not in complaint
