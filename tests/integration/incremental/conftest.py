"""Fixtures for tests of incremental models: a warehouse that dbt builds in two ways at once.

A test file names its feeds (`FEEDS`) and the domains that it builds (`DOMAINS`).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.dbt_session import Dbt, dbt_environment


@pytest.fixture(scope="module")
def builds(postgres, database, world, tmp_path_factory):
    """Two dbts on one warehouse: `prod` follows step by step, `ci` is built whole each time."""
    folder = tmp_path_factory.mktemp("dbt")
    with ThreadPoolExecutor() as pool:
        running = list(
            pool.map(Dbt, [dbt_environment(postgres, database, folder, name) for name in ("prod", "ci")])
        )
    yield running
    for dbt in running:
        dbt.close()


@pytest.fixture(scope="module")
def build_both(request, builds) -> Callable[[], None]:
    """Both ways at once; the marks say afterwards what each has followed."""
    stepwise, whole = builds
    domains = ("run", "--select", *(f"tag:{domain}" for domain in request.module.DOMAINS))

    def build() -> None:
        with ThreadPoolExecutor() as pool:
            for done in (pool.submit(stepwise, *domains), pool.submit(whole, *domains, "--full-refresh")):
                done.result()

    return build


@pytest.fixture(scope="module")
def relations(request, builds):
    """Every model of silver and gold of the domains, as the project that was parsed has them."""
    models = builds[0].models(request.module.DOMAINS)
    return [f"{schema}.{name}" for schema, name in models if schema != "bronze"]
