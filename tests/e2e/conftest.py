"""The running platform that the tests look at, told by the environment (`make env`)."""

import os
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Platform:
    """Addresses and logins of a running platform; `warehouse_url` may read gold."""

    airflow_url: str
    airflow_user: str
    airflow_password: str
    superset_url: str
    superset_user: str
    superset_password: str
    warehouse_url: str


@pytest.fixture(scope="session")
def platform() -> Platform:
    wanted = [
        "AIRFLOW_URL",
        "AIRFLOW_USER",
        "AIRFLOW_PASSWORD",
        "SUPERSET_URL",
        "SUPERSET_USER",
        "SUPERSET_PASSWORD",
    ]
    missing = [name for name in (*wanted, "GOLDWORKS_WAREHOUSE_URL") if not os.environ.get(name)]
    if missing:
        pytest.skip(f'no platform is named: {", ".join(missing)} not set (`eval "$(make -s env)"`)')
    return Platform(
        *(os.environ[name] for name in wanted), warehouse_url=os.environ["GOLDWORKS_WAREHOUSE_URL"]
    )
