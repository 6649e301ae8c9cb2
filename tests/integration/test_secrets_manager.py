"""Logins and keys from AWS Secrets Manager: Airflow finds its own and those of its tasks there, and nowhere else."""

import json
from pathlib import Path

import boto3
import psycopg
import pytest

from runtime.postgres import Cluster
from tests.integration.airflow_session import (
    ROOT,
    VENVS,
    Settings,
    checked,
    make_manifest,
    places,
    prepare,
    run_dag,
    settings_of,
)
from tests.integration.test_dags import HEADER

FERNET_KEY = "c2l4dGVlbi1ieXRlcy10d2ljZS1pcy10aGlydHktdHc="
BACKEND = {
    "connections_prefix": "goldworks/connections",
    "connections_lookup_pattern": "^(warehouse|transformer)$",
    "config_prefix": "goldworks/config",
    "variables_prefix": None,
}


@pytest.fixture
def secrets_manager(aws_endpoint: str) -> dict[str, str]:
    """A Secrets Manager on this machine; what boto3 must be told to find it."""
    return {
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }


@pytest.fixture
def kept_secret(
    secrets_manager: dict[str, str], tmp_path: Path, postgres: Cluster, warehouse_database: str
) -> Settings:
    """The settings of an Airflow that is told where secrets are kept, and not one of them."""
    home = tmp_path / "airflow"
    home.mkdir()
    told = {
        **settings_of(home, ROOT / "contracts", ROOT / "dbt", make_manifest(ROOT / "dbt", tmp_path / "dbt")),
        **places(postgres, warehouse_database, tmp_path / "landing"),
    }
    secrets = {
        "goldworks/connections/warehouse": told.pop("AIRFLOW_CONN_WAREHOUSE"),
        "goldworks/connections/transformer": told.pop("AIRFLOW_CONN_TRANSFORMER"),
        "goldworks/config/sql_alchemy_conn": told.pop("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"),
        "goldworks/config/fernet_key": FERNET_KEY,
    }
    client = boto3.client(
        "secretsmanager",
        endpoint_url=secrets_manager["AWS_ENDPOINT_URL"],
        region_name=secrets_manager["AWS_DEFAULT_REGION"],
        aws_access_key_id=secrets_manager["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=secrets_manager["AWS_SECRET_ACCESS_KEY"],
    )
    for name, value in secrets.items():
        client.create_secret(Name=name, SecretString=value)
    return {
        **told,
        **secrets_manager,
        "AIRFLOW__SECRETS__BACKEND": "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps(BACKEND),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET": "sql_alchemy_conn",
        "AIRFLOW__CORE__FERNET_KEY_SECRET": "fernet_key",
    }


def test_airflow_and_its_tasks_take_every_secret_from_there_and_write_none_down(
    kept_secret: Settings, tmp_path: Path, transformer_url: str
) -> None:
    drop = tmp_path / "landing/bank_transactions/march.csv"
    drop.parent.mkdir(parents=True)
    drop.write_text(HEADER + "712000400355',2026-03-01,opening,,2026-03-01,,1000.00,1000.00,.\n")
    prepare(kept_secret)

    states = run_dag("bank", kept_secret)

    assert set(states.values()) == {"success"}
    with psycopg.connect(transformer_url) as connection:
        assert connection.execute("select account_no from gold.dim_bank_account").fetchall() == [
            ("712000400355",)
        ]
    # Neither in the logs, nor among the fields of tasks that the web page shows.
    written = [file for file in (tmp_path / "airflow").rglob("*") if file.is_file()]
    assert any(file.name == "airflow.db" for file in written)
    for password in (b"loader-test", b"transformer-test"):
        assert [file for file in written if password in file.read_bytes()] == []
    assert config_value(kept_secret, "core", "fernet_key") == FERNET_KEY
    assert config_value(kept_secret, "database", "sql_alchemy_conn").startswith("sqlite:///")


def config_value(settings: Settings, section: str, name: str) -> str:
    asked = [VENVS / "airflow/bin/airflow", "config", "get-value", section, name]
    return checked(asked, settings).splitlines()[-1]
