"""Screenshots of the running platform for the docs: every dashboard; of Airflow a DAG's graph, page and form.

python tests/e2e/screenshots.py        (addresses and logins come from the environment, `make env`)
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from selenium.common.exceptions import WebDriverException

from tests.e2e import browser as pages
from tests.e2e.trigger_form import open_form

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH, FIRST_SCREEN = 1440, 900
DASHBOARDS = sorted(
    file.stem
    for file in (Path(__file__).resolve().parents[2] / "superset" / "assets" / "dashboards").glob("*.yaml")
)
# Wide enough for the whole journey at a size at which its names can be read.
GRAPH_WIDTH, GRAPH_HEIGHT = 3000, 620
FORM_HEIGHT = 1400
AIRFLOW = ("dag", "page", "form")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Take the screenshots of the docs from a running platform.")
    parser.add_argument("--to", type=Path, default=IMAGES, help="folder of the images")
    parser.add_argument(
        "--only", choices=(*DASHBOARDS, *AIRFLOW), help="one dashboard, or one page of Airflow"
    )
    options = parser.parse_args(arguments)
    if missing := pages.missing_parts():
        parser.error(missing)
    options.to.mkdir(parents=True, exist_ok=True)
    try:
        with pages.browser(WIDTH) as driver:
            _dashboards(driver, options.to, [name for name in DASHBOARDS if options.only in (None, name)])
            _airflow(driver, options.to, [name for name in AIRFLOW if options.only in (None, name)])
    except WebDriverException as error:
        print(f"no screenshot: {error.msg}\n  is the platform up? `make status` says", file=sys.stderr)
        return 1
    return 0


def _dashboards(driver: pages.Chrome, folder: Path, names: list[str]) -> None:
    """Whole dashboards, from the bar on top to the end of the last chart."""
    if not names:
        return
    url = _setting("SUPERSET_URL")
    pages.log_in_to_superset(driver, url, _setting("SUPERSET_USER"), _setting("SUPERSET_PASSWORD"))
    for name in names:
        pages.set_page_size(driver, WIDTH, FIRST_SCREEN)
        pages.open_dashboard(driver, url, name)
        pages.set_page_size(driver, WIDTH, pages.dashboard_end(driver) + 24)
        pages.wait_for_drawing(driver)
        _save(driver, folder / f"{name}_dashboard.png")


def _airflow(driver: pages.Chrome, folder: Path, names: list[str]) -> None:
    """The bank's graph, the page of its DAG, and the form that starts the fleet's, which has every field."""
    if not names:
        return
    url = _setting("AIRFLOW_URL")
    pages.log_in_to_airflow(driver, url, _setting("AIRFLOW_USER"), _setting("AIRFLOW_PASSWORD"))
    if "dag" in names:
        pages.set_page_size(driver, GRAPH_WIDTH, GRAPH_HEIGHT)
        pages.open_last_run_graph(driver, url, "bank")
        _save(driver, folder / "bank_dag.png")
    if "page" in names:
        pages.set_page_size(driver, WIDTH, FIRST_SCREEN)
        pages.open_dag_page(driver, url, "bank")
        _save(driver, folder / "dag_page.png")
    if "form" in names:
        pages.set_page_size(driver, WIDTH, FORM_HEIGHT)
        open_form(driver, url, "fleet")
        pages.wait_for_drawing(driver)
        _save(driver, folder / "trigger_form.png")


def _save(driver: pages.Chrome, image: Path) -> None:
    driver.save_screenshot(str(image))
    print(image)


def _setting(name: str) -> str:
    if not (value := os.environ.get(name)):
        sys.exit(f'{name} is not set\n  eval "$(make -s env)" sets it')
    return value


if __name__ == "__main__":
    sys.exit(main())
