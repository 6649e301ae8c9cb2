"""Every link from a dashboard to a column of dbt, cut one at a time."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace as with_
from pathlib import Path

import pytest
from asset_files import Kind, read_assets
from check_assets import check, main
from dbt_project import MODELS, Exposure, Project, project_from_manifest, project_from_yaml

Replace = Callable[[str, str, str], None]

CHART = "charts/bank/daily_balance.yaml"
DATASET = "datasets/warehouse/mart_bank_daily_balance.yaml"
LIST = "charts/bank/backdated_movements.yaml"
DASHBOARD = "dashboards/bank.yaml"


@pytest.fixture(scope="module")
def project() -> Project:
    return project_from_yaml()


def faults(assets: Path, project: Project) -> list[str]:
    return check(read_assets(assets), project)


def test_every_dashboard_of_a_domain_has_the_same_styles_and_then_its_own() -> None:
    boards = {board.content["slug"]: board.content["css"] for board in read_assets().of(Kind.DASHBOARD)}
    end = "font-size: 14px; }\n"  # of the line on top, which Home does not have
    shared = {css[: css.rindex(end)] for slug, css in boards.items() if slug != "home"}
    assert len(shared) == 1


def test_gold_marks_what_needs_attention_and_no_other_series() -> None:
    gold, attention = (
        "#C28A0E",
        re.compile("over_limit|uncounted|invalid|overdue|late|failed|open_rows|waiting"),
    )
    for board in read_assets().of(Kind.DASHBOARD):
        colours = board.content["metadata"].get("label_colors") or {}
        marked = [label for label, colour in colours.items() if colour.upper() == gold]
        assert [label for label in marked if not attention.search(label)] == [], board.path
    for chart in read_assets().of(Kind.CHART):
        for rule in chart.content["params"].get("conditional_formatting") or []:
            assert rule["colorScheme"] != gold or attention.search(rule["column"]), chart.path


def test_rows_behind_a_chart_are_shown_with_the_labels_of_their_columns() -> None:
    """Superset 6.1 asks for labels of columns to group by alone, and shows others by their bare names."""
    bare = [
        f"{dataset.name}.{column['column_name']}"
        for dataset in read_assets().of(Kind.DATASET)
        for column in dataset.content["columns"]
        if not column["groupby"]
    ]
    assert bare == []


def test_home_links_to_every_other_dashboard() -> None:
    dashboards = {board.content["slug"]: str(board.content) for board in read_assets().of(Kind.DASHBOARD)}
    linked = re.findall(r"\]\(/superset/dashboard/(\w+)/\)", dashboards.pop("home"))
    assert sorted(linked) == sorted(dashboards)


def test_the_assets_of_this_repository_have_no_fault(assets_copy: Path, project: Project) -> None:
    assert faults(assets_copy, project) == []


@pytest.mark.parametrize(
    ("domain", "questions"),
    [
        (
            "bank",
            {
                "Accounts with withdrawals over INR 1 billion (whole record)",
                "Daily balance, INR million",
                "Money in and out by month, INR billion",
                "Backdated movements, INR",
                "Latest movements, INR",
            },
        ),
        (
            "fleet",
            {
                "Top vehicle",
                "Top 10 vehicles by updates",
                "Path in the last hour, on a map",
                "Last position of every vehicle",
                "Path in the last hour",
                "Distance by vehicle and operating period",
                "Average distance per vehicle by operating period, km",
                "Average, km",
            },
        ),
        (
            "orders",
            {
                "Open orders by delivery date and status",
                "Top 3 delivery dates (all customers)",
                "Open pending items by product",
                "Top 3 customers by pending orders",
                "Source tables: freshness and gaps",
                "Gaps in the change history",
            },
        ),
        (
            "sales",
            {
                "Revenue and tax by month",
                "Revenue by country",
                "Revenue by product",
                "Revenue by customer",
                "Sales by month, counted and not",
                "Sales without a quantity",
            },
        ),
        (
            "web",
            {
                "Events per day",
                "Events per month",
                "Events per year",
                "Most active users, events",
                "Most active companies, events",
                "Countries with most events",
            },
        ),
    ],
)
def test_every_question_of_a_domain_is_a_chart_on_its_dashboard(
    assets_copy: Path, domain: str, questions: set[str]
) -> None:
    charts = {chart.uuid: chart.name for chart in read_assets(assets_copy).of(Kind.CHART)}
    (dashboard,) = (d for d in read_assets(assets_copy).of(Kind.DASHBOARD) if d.content["slug"] == domain)
    shown = {
        node["meta"].get("uuid")
        for node in dashboard.content["position"].values()
        if isinstance(node, dict) and "meta" in node
    }
    assert questions <= {charts[uuid] for uuid in shown & charts.keys()}


@pytest.mark.parametrize(
    ("path", "old", "new", "complaint"),
    [
        (DATASET, "column_name: closing_balance_inr", "column_name: closing_inr", "'closing_inr'"),
        (DATASET, "SUM(closing_balance_inr)", "SUM(balance_eur)", "no column 'balance_eur'"),
        (DATASET, "table_name: mart_bank_daily_balance", "table_name: mart_dayly_balance", "did you mean"),
        (DATASET, "schema: gold", "schema: silver", "dbt builds mart_bank_daily_balance in 'gold'"),
        (DATASET, "verbose_name: Withdrawals, INR\n    desc", "verbose_name: Out\n    desc", "make generate"),
        (DATASET, "verbose_name: Day", "verbose_name: Date", "columns: balance_date: verbose_name: differs"),
        (DATASET, "description: One row", "description: A row", "description: differs from dbt's"),
        (DATASET, "main_dttm_col: balance_date", "main_dttm_col: day", "main_dttm_col: 'day'"),
        (DATASET, "database_uuid: 6f868587", "database_uuid: 00000000", "no file in databases/"),
        (DATASET, "is_managed_externally: true", "is_managed_externally: false", "is_managed_externally"),
        (CHART, "metrics: [balance_million]", "metrics: [balance_milion]", "did you mean 'balance_million'"),
        (CHART, "groupby: [account_no]", "groupby: [account]", "params.groupby[0]"),
        (CHART, "x_axis: balance_date", "x_axis: balanced_date", "params.x_axis"),
        (CHART, "subject: balance_date", "subject: day", "params.adhoc_filters[0].subject"),
        (CHART, "dataset_uuid: e37e8416", "dataset_uuid: 00000000", "no file in datasets/"),
        (CHART, "viz_type: echarts_timeseries_line\nuuid", "viz_type: table\nuuid", "params.viz_type"),
        ("charts/bank/accounts.yaml", '["withdrawals_inr", false]', '["withdrawal", false]', "params.order_by_cols[0]"),
        ("charts/fleet/map.yaml", "  x: east", "  x: eest", "did you mean 'east'"),
        ("charts/fleet/map.yaml", "  size: point_size", "  size: point_sise", "params.size"),
        ("charts/fleet/map.yaml", "series: point_series", "series: point_sort", "params.series"),
        ("charts/fleet/map.yaml", "entity: point_label", "entity: point_lable", "params.entity"),
        (LIST, "sqlExpression: is_backdated", "sqlExpression: was_late", "no column 'was_late'"),
        (DASHBOARD, "uuid: 2c6c751b", "uuid: 00000000", "Superset would leave out this chart"),
        (DASHBOARD, "children: [CHART-daily-balance,", "children: [CHART-dayly,", "there is no 'CHART-dayly'"),
        (DASHBOARD, "children: [CHART-daily-balance,", "children: [", "no row holds it"),
        (DASHBOARD, "chartId: 109,", "chartId: 110,", "chartId 110 is used 2 times"),
        (DASHBOARD, "excluded: [100, 105,", "excluded: [999,", "chartId 999"),
        (DASHBOARD, "column: {name: account_no}", "column: {name: account}", "has no column 'account'"),
        (DASHBOARD, "datasetUuid: 5a9b0213", "datasetUuid: 00000000", "no file in datasets/"),
        (DASHBOARD, "slug: bank", "slug: banks", "no dbt exposure"),
    ],
)  # fmt: skip
def test_a_cut_link_is_named(
    assets_copy: Path, replace: Replace, project: Project, path: str, old: str, new: str, complaint: str
) -> None:
    replace(path, old, new)
    found = faults(assets_copy, project)
    assert any(complaint in fault and path in fault for fault in found), found


def test_two_assets_with_one_uuid(assets_copy: Path, project: Project) -> None:
    shutil.copy(assets_copy / CHART, assets_copy / "charts/bank/copy.yaml")
    assert any("is also that of charts/bank/copy.yaml" in fault for fault in faults(assets_copy, project))


def test_a_chart_on_no_dashboard(assets_copy: Path, replace: Replace, project: Project) -> None:
    shutil.copy(assets_copy / CHART, assets_copy / "charts/bank/copy.yaml")
    replace("charts/bank/copy.yaml", "uuid: 2c6c751b", "uuid: 2c6c751c")
    assert any("copy.yaml: is on no dashboard" in fault for fault in faults(assets_copy, project))


def test_a_dataset_that_nothing_shows(assets_copy: Path, replace: Replace, project: Project) -> None:
    shutil.copy(assets_copy / DATASET, assets_copy / "datasets/warehouse/copy.yaml")
    replace("datasets/warehouse/copy.yaml", "uuid: e37e8416", "uuid: e37e8417")
    assert any(
        "copy.yaml: no chart of a dashboard shows it" in fault for fault in faults(assets_copy, project)
    )


def test_a_column_that_dbt_renames(assets_copy: Path, project: Project) -> None:
    model = project.models["mart_bank_daily_balance"]
    columns = {name.replace("closing_balance_inr", "end_balance_inr"): c for name, c in model.columns.items()}
    renamed = with_(model, columns=columns)
    changed = Project({**project.models, model.name: renamed}, project.exposures)
    found = faults(assets_copy, changed)
    assert any("no column 'closing_balance_inr'" in fault and "columns[" in fault for fault in found)
    assert any("no column 'closing_balance_inr'" in fault and "metrics[" in fault for fault in found)


def test_an_exposure_that_forgets_a_model(assets_copy: Path, project: Project) -> None:
    forgetful = tuple(Exposure(e.name, e.url, e.models - {"fct_bank_movement"}) for e in project.exposures)
    found = faults(assets_copy, Project(project.models, forgetful))
    assert len(found) == 1
    assert "add ref('fct_bank_movement')" in found[0]


def test_words_in_strings_and_calls_are_no_columns(
    assets_copy: Path, replace: Replace, project: Project
) -> None:
    replace(
        DATASET, "expression: SUM(movements)", "expression: COALESCE(SUM(movements), 0) -- it's 'a word' ok?"
    )
    replace(DATASET, "-- it's 'a word' ok?", "+ CASE WHEN MAX(account_no) = 'a word' THEN 1e3 ELSE 0 END")
    assert faults(assets_copy, project) == []


def test_the_manifest_says_the_same_as_the_files(tmp_path: Path, assets_copy: Path, project: Project) -> None:
    nodes = {
        f"model.goldworks.{model.name}": {
            "name": model.name,
            "resource_type": "model",
            "fqn": ["goldworks", model.layer, "bank", model.name],
            "description": model.description,
            "columns": {
                name: {
                    "description": c.description,
                    "config": {"meta": {"label": c.label} if c.label else {}},
                }
                for name, c in model.columns.items()
            },
        }
        for model in project.models.values()
    }
    exposures = {
        f"exposure.goldworks.{e.name}": {
            "name": e.name,
            "url": e.url,
            "depends_on": {"nodes": [f"model.goldworks.{name}" for name in e.models]},
        }
        for e in project.exposures
    }
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({"nodes": nodes, "exposures": exposures}))
    assert project_from_manifest(manifest) == project
    assert main(["--assets", str(assets_copy), "--manifest", str(manifest)]) == 0


def test_the_program_fails_on_a_fault(
    assets_copy: Path, replace: Replace, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(CHART, "metrics: [balance_million]", "metrics: [nothing]")
    assert main(["--assets", str(assets_copy), "--models", str(MODELS)]) == 1
    assert "charts/bank/daily_balance.yaml: params.metrics[0]" in capsys.readouterr().err
