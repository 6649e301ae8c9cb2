"""Superset's import against a running Superset: it replaces, removes, repeats, and stores no password."""

import shutil
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "superset"))

from asset_files import ASSETS, AssetError, Kind, read_assets, unpack  # noqa: E402
from chart_queries import query_charts  # noqa: E402
from import_assets import import_assets  # noqa: E402
from superset_api import SupersetApi  # noqa: E402

pytestmark = pytest.mark.e2e

DASHBOARD = "dashboards/bank.yaml"
CHART = "charts/bank/accounts.yaml"
DATASET = "datasets/warehouse/mart_bank_monthly_flow.yaml"
EXTRA_CHART = "11111111-0000-4000-8000-000000000001"
EXTRA_DATASET = "11111111-0000-4000-8000-000000000002"


@pytest.fixture(scope="module")
def api(platform) -> SupersetApi:
    return SupersetApi(platform.superset_url, platform.superset_user, platform.superset_password)


@pytest.fixture
def spoiled(tmp_path: Path, api: SupersetApi) -> Iterator[Path]:
    """A copy of the assets to change and import; afterwards Superset holds the real ones again."""
    yield shutil.copytree(ASSETS, tmp_path / "assets")
    import_assets(api)


def edit(file: Path, change: Callable[[dict], object], target: Path | None = None) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(content)
    (target or file).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def test_every_chart_answers_with_rows(api: SupersetApi) -> None:
    import_assets(api)
    answers = list(query_charts(api, read_assets()))
    assert len(answers) == len(read_assets().of(Kind.CHART))
    assert [f"{a.chart}: {a.error or 'no rows'}" for a in answers if a.error or a.is_empty] == []


def test_a_second_import_changes_nothing(api: SupersetApi) -> None:
    import_assets(api)
    assert {change.fate for change in import_assets(api)} == {"unchanged"}


def test_what_the_files_no_longer_say_really_disappears(api: SupersetApi, spoiled: Path) -> None:
    """Superset's own imports leave it standing (apache/superset#22127)."""

    def more_on_the_dashboard(dashboard: dict) -> None:
        meta = {"chartId": 199, "uuid": EXTRA_CHART, "width": 6, "height": 20}
        dashboard["position"]["ROW-headlines"]["children"].append("CHART-extra")
        dashboard["position"]["CHART-extra"] = {
            "type": "CHART",
            "id": "CHART-extra",
            "children": [],
            "meta": meta,
        }
        filters = dashboard["metadata"]["native_filter_configuration"]
        filters.append({**deepcopy(filters[0]), "id": "NATIVE_FILTER-extra", "name": "Extra"})

    edit(
        spoiled / DATASET,
        lambda d: d.update(uuid=EXTRA_DATASET, table_name="stg_bank_extra"),
        spoiled / "datasets/warehouse/extra.yaml",
    )
    edit(
        spoiled / "charts/bank/monthly_flow.yaml",
        lambda c: c.update(uuid=EXTRA_CHART, slice_name="Extra", dataset_uuid=EXTRA_DATASET),
        spoiled / "charts/bank/extra.yaml",
    )
    edit(spoiled / DASHBOARD, more_on_the_dashboard)
    edit(spoiled / CHART, lambda c: c["params"].update(row_limit=7, page_length=5))
    created = {(c.kind, c.name) for c in import_assets(api, spoiled) if c.fate == "created"}
    assert created == {(Kind.DATASET, "stg_bank_extra"), (Kind.CHART, "Extra")}

    changes = import_assets(api)

    removed = {(c.kind, c.name) for c in changes if c.fate == "removed"}
    assert removed == {(Kind.DATASET, "stg_bank_extra"), (Kind.CHART, "Extra")}
    held = unpack(api.download("/api/v1/assets/export/"))
    assert not {EXTRA_CHART, EXTRA_DATASET} & {asset.uuid for asset in held.all}
    dashboard = next(a for a in held.of(Kind.DASHBOARD) if a.content["slug"] == "bank")
    assert "CHART-extra" not in dashboard.content["position"]
    names = [f["name"] for f in dashboard.content["metadata"]["native_filter_configuration"]]
    assert names == ["Account", "Month", "Dates"]
    changed = yaml.safe_load((ASSETS / CHART).read_text(encoding="utf-8"))["uuid"]
    accounts = next(a for a in held.of(Kind.CHART) if a.uuid == changed)
    assert accounts.content["params"]["row_limit"] == 1000


def test_charts_that_users_made_stay_and_keep_their_dataset(api: SupersetApi, spoiled: Path) -> None:
    edit(
        spoiled / DATASET,
        lambda d: d.update(uuid=EXTRA_DATASET, table_name="stg_bank_extra"),
        spoiled / "datasets/warehouse/extra.yaml",
    )
    import_assets(api, spoiled)
    dataset = next(row["id"] for row in api.all("dataset", "table_name") if row["uuid"] == EXTRA_DATASET)
    mine = {"slice_name": "My own", "viz_type": "table", "datasource_id": dataset, "datasource_type": "table"}
    chart = api.post("/api/v1/chart/", {**mine, "params": "{}"})["id"]
    try:
        changes = import_assets(api)
        assert [c.fate for c in changes if c.name.startswith("stg_bank_extra")] == ["kept"]
        assert any(row["id"] == chart for row in api.all("chart", "slice_name"))
    finally:
        api.delete(f"/api/v1/chart/{chart}")


def test_a_broken_file_changes_nothing_and_says_why(api: SupersetApi, spoiled: Path) -> None:
    before = api.download("/api/v1/assets/export/")
    edit(spoiled / CHART, lambda c: c.update(slice_name="Renamed"))
    edit(spoiled / DATASET, lambda d: d["metrics"][0].pop("expression"))
    with pytest.raises(AssetError, match="nothing was imported") as refused:
        import_assets(api, spoiled)
    assert DATASET in str(refused.value)
    assert "expression" in str(refused.value)
    held = unpack(api.download("/api/v1/assets/export/"))
    assert {a.uuid: a.content for a in held.all} == {a.uuid: a.content for a in unpack(before).all}


def test_a_name_that_is_taken_is_refused_before_anything_is_imported(api: SupersetApi, spoiled: Path) -> None:
    edit(spoiled / DATASET, lambda d: d.update(uuid=EXTRA_DATASET))
    edit(spoiled / "charts/bank/monthly_flow.yaml", lambda c: c.update(dataset_uuid=EXTRA_DATASET))
    with pytest.raises(AssetError, match=r"already has a dataset .*gold\.mart_bank_monthly_flow"):
        import_assets(api, spoiled)


def test_a_password_typed_in_by_hand_does_not_outlive_an_import(api: SupersetApi) -> None:
    uuid = read_assets().of(Kind.DATABASE)[0].uuid
    database = next(row["id"] for row in api.all("database", "database_name") if row["uuid"] == uuid)

    def stored() -> dict:
        return api.get(f"/api/v1/database/{database}/connection")["result"]

    clean = stored()["sqlalchemy_uri"]
    typed = clean.replace("reporter@", "reporter:typed-in@")
    api.put(f"/api/v1/database/{database}", {"sqlalchemy_uri": typed})
    assert stored()["parameters"]["password"], "what the read-back looks at shows a stored password"
    import_assets(api)
    assert stored()["parameters"]["password"] is None
    assert stored()["sqlalchemy_uri"] == clean
