"""Trigger form: Airflow's form that starts a run of a DAG, filled in and sent as a person does."""

from selenium.common.exceptions import ElementClickInterceptedException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.e2e.browser import wait_until

OPEN = "[data-testid=trigger-dag-button]"
FIELDS = ("datasets", "first_period", "last_period", "full_listing", "full_refresh", "accept")
_SEND = "//section//button[normalize-space()='Trigger'] | //*[@role='dialog']//button[normalize-space()='Trigger']"


def open_form(driver: Chrome, url: str, dag: str) -> None:
    """The form of a DAG, all of its fields drawn."""
    driver.get(f"{url}/dags/{dag}")
    _click(driver, By.CSS_SELECTOR, OPEN)
    _field(driver, "full_refresh")


def fields(driver: Chrome) -> list[str]:
    """Which parameters the open form offers."""
    return [name for name in FIELDS if driver.find_elements(By.CSS_SELECTOR, _selector(name))]


def fill_in(driver: Chrome, name: str, text: str) -> None:
    """Types into a field of the open form, or chooses the option of that text."""
    field = _field(driver, name)
    typed = next(iter(field.find_elements(By.CSS_SELECTOR, "input")), field)
    typed.send_keys(text)
    if name == "datasets":
        typed.send_keys(Keys.ENTER)


def can_be_sent(driver: Chrome) -> bool:
    """Whether the open form would start a run."""
    return _shown(driver, By.XPATH, _SEND).is_enabled()


def send(driver: Chrome) -> None:
    """Starts the run, and waits until the form has closed."""
    _click(driver, By.XPATH, _SEND)
    wait_until(driver, lambda d: not d.find_elements(By.ID, "element_full_refresh"), "the form was not taken")


def _selector(name: str) -> str:
    """A field; a switch has its name on a hidden checkbox, a list its id on what surrounds it."""
    return f"#element_{name}, input[name=element_{name}]"


def _field(driver: Chrome, name: str) -> WebElement:
    found = wait_until(
        driver,
        lambda d: d.find_elements(By.CSS_SELECTOR, _selector(name)),
        f"the form has no field {name}",
    )
    return found[0]


def _shown(driver: Chrome, by: str, selector: str) -> WebElement:
    def found(d: Chrome) -> WebElement | None:
        return next((one for one in d.find_elements(by, selector) if one.is_displayed()), None)

    element = wait_until(driver, found, f"{selector} never appeared on {driver.current_url}")
    assert element is not None
    return element


def _click(driver: Chrome, by: str, selector: str) -> None:
    """Clicks once nothing that moves is in the way."""

    def clicked(d: Chrome) -> bool:
        try:
            _shown(d, by, selector).click()
        except (ElementClickInterceptedException, StaleElementReferenceException):
            return False
        return True

    wait_until(driver, clicked, f"{selector} can't be clicked on {driver.current_url}")
