"""Browser: a headless Chromium that logs in to Superset and Airflow and reads what a person would see."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVER = "chromedriver"
WAIT_SECONDS = 120  # two busy cores, one of them drawing
# Seconds until a login or page that comes to nothing is tried again; the last has the time of any other wait.
PATIENCE = (20, 40, WAIT_SECONDS)
T = TypeVar("T")

# Nothing here may reach the internet or leave a profile behind; --no-sandbox because CI runs as root.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


def missing_parts() -> str:
    """What is missing on this machine for a browser test, in words; empty when nothing is."""
    if not any(shutil.which(name) for name in BROWSERS):
        return "no Chromium: on Debian, apt-get install chromium chromium-driver"
    if not shutil.which(DRIVER):
        return "Chromium, but no chromedriver: on Debian, apt-get install chromium-driver"
    return ""


@contextmanager
def browser(width: int = 1440, height: int = 900) -> Iterator[Chrome]:
    """A fresh browser with a profile of its own, both gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="goldworks-browser-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = next(path for name in BROWSERS if (path := shutil.which(name)))
        for flag in (*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
            options.add_argument(flag)
        driver = Chrome(options=options, service=Service(shutil.which(DRIVER)))
        try:
            # The window has a frame even without a screen: the page itself gets the asked size.
            set_page_size(driver, width, height)
            yield driver
        finally:
            driver.quit()


def set_page_size(driver: Chrome, width: int, height: int) -> None:
    """Give the page `width` × `height` CSS pixels."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@dataclass(frozen=True)
class LoginForm:
    """A page with a form to log in by, and what leads away from it."""

    site: str
    path: str
    user: str
    password: str
    button: str


SUPERSET_LOGIN = LoginForm(
    "Superset",
    "/login/",
    "[data-test=username-input]",
    "[data-test=password-input]",
    "[data-test=login-button]",
)
AIRFLOW_LOGIN = LoginForm(
    "Airflow", "/auth/login/", "input[name=username]", "input[name=password]", "[type=submit]"
)


def log_in_to_superset(driver: Chrome, url: str, user: str, password: str) -> None:
    _log_in(driver, SUPERSET_LOGIN, url, user, password)


def open_dashboard(driver: Chrome, url: str, slug: str) -> None:
    """Open a dashboard and wait until every chart on it is drawn, also those below the fold."""
    for patience in PATIENCE:
        driver.get(f"{url}/superset/dashboard/{slug}")
        with suppress(TimeoutException):
            WebDriverWait(driver, patience).until(lambda d: d.find_elements(By.CSS_SELECTOR, CHART))
            break
    else:
        raise TimeoutException(f"dashboard {slug} has no charts\n{what_is_shown(driver)}")
    # Charts below the fold are drawn when they come in sight: a page as long as the dashboard shows all.
    set_page_size(driver, page_width(driver), 2 * charts_end(driver))
    wait_until(driver, _settled, f"dashboard {slug} has charts that go on loading")


def charts_end(driver: Chrome) -> int:
    """Where the last chart of the open dashboard ends, in pixels from the top of the page."""
    ends = "[...document.querySelectorAll(arguments[0])].map(e => e.getBoundingClientRect().bottom)"
    return int(driver.execute_script(f"return Math.max(...{ends})", CHART))


def dashboard_end(driver: Chrome) -> int:
    """Where the open dashboard ends, texts included, in pixels from the top of the page."""
    ends = "[...document.querySelectorAll('.dashboard-component')].map(e => e.getBoundingClientRect().bottom)"
    return int(driver.execute_script(f"return Math.max(...{ends})"))


def page_width(driver: Chrome) -> int:
    return int(driver.execute_script("return window.innerWidth"))


CHART = ".dashboard-component-chart-holder[class*=dashboard-chart-id]"  # texts are held alike, and are none
_LOADING = ".loading, [data-test=loading-indicator], .ant-skeleton, .ant-spin-spinning"


def links_of_texts(driver: Chrome) -> set[str]:
    """Where the texts of the open dashboard lead to."""
    found = driver.find_elements(By.CSS_SELECTOR, ".dashboard-markdown a[href]")
    return {str(link.get_attribute("href")) for link in found}


def charts(driver: Chrome) -> dict[str, WebElement]:
    """The charts of the open dashboard by title."""
    found = {}
    for holder in driver.find_elements(By.CSS_SELECTOR, CHART):
        title = holder.find_element(By.CSS_SELECTOR, "[data-test=slice-header]").text.strip()
        found[title.splitlines()[0]] = holder
    return found


def headline(driver: Chrome, title: str) -> str:
    """The big number of the chart of that title, as written."""
    return charts(driver)[title].find_element(By.CSS_SELECTOR, ".header-line").text.strip()


def table_rows(chart: WebElement) -> list[list[str]]:
    """The cells of a table chart, row by row, as written."""
    rows = chart.find_elements(By.CSS_SELECTOR, "tbody tr")
    return [[cell.text.strip() for cell in row.find_elements(By.CSS_SELECTOR, "td")] for row in rows]


def complaints(driver: Chrome) -> list[str]:
    """Charts that show an error or have nothing to show."""
    bad = "[data-test=error-message], .ant-alert-error, .ant-empty, .missing-chart-container"
    return [
        f"{title}: {element.text.strip()}"
        for title, holder in charts(driver).items()
        for element in holder.find_elements(By.CSS_SELECTOR, bad)
        if element.is_displayed()
    ]


def cut_off_titles(driver: Chrome) -> list[str]:
    """Titles too long for their chart."""
    script = (
        "return [...document.querySelectorAll('[data-test=slice-header] .header-title *')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0).map(e => e.textContent)"
    )
    return list(driver.execute_script(script))


def log_in_to_airflow(driver: Chrome, url: str, user: str, password: str) -> None:
    _log_in(driver, AIRFLOW_LOGIN, url, user, password)


def last_run_state(driver: Chrome, url: str, dag: str) -> str:
    """The state that Airflow's list of runs shows for the newest one: Success, Failed, Running, …"""
    driver.get(f"{url}/dags/{dag}/runs")
    return wait_until(driver, _state_of_first_run, f"{driver.current_url} lists no run")


def _state_of_first_run(driver: Chrome) -> str:
    """What the first row of the open list of runs has under "State"; empty while only the outline of a row is drawn.

    Read by one script: Airflow draws its rows anew whenever it asks for them again.
    """
    script = (
        "const titles = [...document.querySelectorAll('table thead th')].map(e => e.innerText.trim());"
        "const cells = document.querySelector('table tbody tr')?.querySelectorAll('td') ?? [];"
        "return cells[titles.indexOf('State')]?.innerText.trim() ?? ''"
    )
    return str(driver.execute_script(script))


def open_last_run_graph(driver: Chrome, url: str, dag: str) -> None:
    """The graph of the newest run, all groups open, as large as the page allows."""
    driver.get(f"{url}/dags/{dag}/runs")
    driver.get(str(_one(driver, "table tbody tr a[href*='/runs/']").get_attribute("href")))
    _one(driver, "button[aria-label^='Show Graph']").click()
    _one(driver, ".react-flow__node")
    _one(driver, "[data-testid=expand-all-button]").click()
    _one(driver, "button[aria-label='Collapse Details Panel']").click()
    wait_until(driver, _at_rest, "Airflow's graph goes on moving")
    _one(driver, "button[aria-label='Fit View']").click()
    wait_until(driver, _at_rest, "Airflow's graph goes on moving")


def open_dag_page(driver: Chrome, url: str, dag: str) -> None:
    """What a DAG says of itself, drawn over its page."""
    driver.get(f"{url}/dags/{dag}")
    _one(driver, "[data-testid=markdown-button]").click()
    _one(driver, "[role=dialog] h1")
    wait_for_drawing(driver)


def wait_for_drawing(driver: Chrome) -> None:
    """Charts grow into their place for about a second, and tell nobody when they are done."""
    driver.execute_async_script("setTimeout(arguments[0], 1500)")


def _at_rest(driver: Chrome) -> bool:
    """Whether the graph stands still for half a second."""
    where = (
        "return [...document.querySelectorAll('.react-flow__node')].map(e => e.getBoundingClientRect())"
        ".map(r => `${r.x} ${r.y} ${r.width}`).join()"
    )
    before = driver.execute_script(where)
    driver.execute_async_script("setTimeout(arguments[0], 500)")
    return bool(driver.execute_script(where) == before)


def foreign_addresses(driver: Chrome) -> list[str]:
    """Addresses outside the open site that answered the page."""
    entries = "performance.getEntriesByType('resource').filter(e => e.transferSize > 0).map(e => e.name)"
    own = driver.execute_script("return location.origin")
    return [
        name
        for name in driver.execute_script(f"return {entries}")
        if not name.startswith((own, "data:", "blob:"))
    ]


def _settled(driver: Chrome) -> bool:
    holders = driver.find_elements(By.CSS_SELECTOR, CHART)
    try:
        if not holders or any(e.is_displayed() for e in driver.find_elements(By.CSS_SELECTOR, _LOADING)):
            return False
        return all(h.find_elements(By.CSS_SELECTOR, "[data-test=slice-container] > *") for h in holders)
    except StaleElementReferenceException:
        return False


def _log_in(driver: Chrome, form: LoginForm, url: str, user: str, password: str) -> None:
    """Fill in the form and send it, again from the start where a click came to nothing.

    On a busy machine a page moves between the aim and the click, or takes the click before it listens. Whoever is
    logged in already is led away from the form at once, which is as good.
    """

    def away(d: Chrome) -> bool:
        return form.path.rstrip("/") not in d.current_url

    for patience in PATIENCE:
        driver.get(f"{url}{form.path}")
        wait_until(
            driver,
            lambda d: away(d) or d.find_elements(By.CSS_SELECTOR, form.button),
            f"no form to log in by on {url}{form.path}",
        )
        if away(driver):
            return
        _type(driver, form.user, user)
        _type(driver, form.password, password)
        wait_until(driver, _idle, f"{url}{form.path} goes on changing")
        if _value(driver, form.user) != user or _value(driver, form.password) != password:
            continue
        with suppress(TimeoutException, StaleElementReferenceException, ElementClickInterceptedException):
            _one(driver, form.button).click()
            WebDriverWait(driver, patience, poll_frequency=0.2).until(away)
            return
    raise TimeoutException(
        f"{form.site} does not let '{user}' in, tried {len(PATIENCE)} times\n{what_is_shown(driver)}"
    )


def what_is_shown(driver: Chrome) -> str:
    """Address, text, fields and console of the open page, for a complaint; no field's value."""
    alerts = "[...document.querySelectorAll('[role=alert], .alert, .ant-form-item-explain-error')]"
    fields = (
        "[...document.querySelectorAll('input')].map(e => `${e.name || e.id}: ${e.value.length} characters`)"
    )
    console = [entry["message"][:200] for entry in driver.get_log("browser")[-5:]]
    told = {
        "address": driver.current_url,
        "alerts": driver.execute_script(f"return {alerts}.map(e => e.innerText.trim()).filter(t => t)"),
        "fields": driver.execute_script(f"return {fields}"),
        "text": driver.execute_script("return document.body.innerText")[:500],
        "console": console,
    }
    return "\n".join(f"  {name}: {said}" for name, said in told.items())


def _type(driver: Chrome, selector: str, text: str) -> None:
    """Type into a field until it holds the text: one that is drawn anew meanwhile forgets what it had."""

    def typed(d: Chrome) -> bool:
        if _value(d, selector) != text:
            field = _one(d, selector)
            field.clear()
            field.send_keys(text)
        return _value(d, selector) == text

    waiting = WebDriverWait(
        driver, WAIT_SECONDS, poll_frequency=0.5, ignored_exceptions=(WebDriverException,)
    )
    waiting.until(typed, f"{selector} does not keep what is typed (waited {WAIT_SECONDS} s)")


def _value(driver: Chrome, selector: str) -> str | None:
    return driver.execute_script("return document.querySelector(arguments[0])?.value", selector)


def _idle(driver: Chrome) -> bool:
    """Whether the page is loaded, asks its server for nothing and draws nothing new for half a second."""
    state = (
        "return `${document.readyState} ${performance.getEntriesByType('resource').length}"
        " ${document.getElementsByTagName('*').length}`"
    )
    before = driver.execute_script(state)
    driver.execute_async_script("setTimeout(arguments[0], 500)")
    return str(before).startswith("complete") and driver.execute_script(state) == before


def _one(driver: Chrome, selector: str) -> WebElement:
    def found(d: Chrome) -> WebElement | bool:
        element = next(iter(d.find_elements(By.CSS_SELECTOR, selector)), None)
        return element if element is not None and element.is_displayed() else False

    element = wait_until(driver, found, f"{selector} never appeared on {driver.current_url}")
    assert isinstance(element, WebElement)
    return element


def wait_until(driver: Chrome, condition: Callable[[Chrome], T], complaint: str) -> T:
    """What `condition` answers once it is true; after WAIT_SECONDS, a TimeoutException that says what was awaited."""
    waiting = WebDriverWait(driver, WAIT_SECONDS, poll_frequency=0.2)
    return waiting.until(condition, f"{complaint} (waited {WAIT_SECONDS} s)")
