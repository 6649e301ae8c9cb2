"""What the embedded runtime tells Airflow, and what it leaves to airflow.cfg."""

import configparser
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from runtime.airflow import connections, environment
from runtime.settings import ROOT, load_settings


def test_nothing_is_said_twice_by_the_runtime_and_by_the_file(tmp_path: Path) -> None:
    told = environment(load_settings(tmp_path))
    file = configparser.ConfigParser(interpolation=None)
    file.read_string(Path(told["AIRFLOW_CONFIG"]).read_text())
    in_file = {f"AIRFLOW__{section}__{name}".upper() for section in file.sections() for name in file[section]}
    assert in_file
    assert in_file & set(told) == set()


def test_the_file_leaves_a_worker_to_the_build_beside_its_watchers() -> None:
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "airflow/airflow.cfg")
    slots = next(
        int(line.split(" = ")[1])
        for line in (ROOT / "airflow/prepare.py").read_text().splitlines()
        if line.startswith("SLOTS = ")
    )
    assert slots < file.getint("core", "parallelism")


def test_a_call_of_a_worker_outlasts_a_restart_and_ends_before_its_task_is_given_up() -> None:
    file = configparser.ConfigParser(interpolation=None)
    file.read(ROOT / "airflow/airflow.cfg")
    workers = file["workers"]
    waits = workers.getint("execution_api_retries") - 1
    longest = waits * workers.getfloat("execution_api_retry_wait_max")
    shortest = waits * workers.getfloat("execution_api_retry_wait_min")
    given_up = file.getfloat("scheduler", "task_instance_heartbeat_timeout")
    assert 20 < shortest < longest < given_up
    assert shortest * workers.getint("max_failed_heartbeats") > given_up


def test_the_connections_hold_the_logins_as_they_are(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    known = {**settings.environment(), "TRANSFORMER_PASSWORD": "p@ss/word:%"}
    transformer = urlsplit(connections(known)["AIRFLOW_CONN_TRANSFORMER"])
    assert (transformer.scheme, transformer.username) == ("postgresql", known["TRANSFORMER_USER"])
    assert unquote(transformer.password or "") == "p@ss/word:%"
    assert (transformer.hostname, str(transformer.port)) == (known["WAREHOUSE_HOST"], known["WAREHOUSE_PORT"])
    assert transformer.path == f"/{known['WAREHOUSE_DB']}"
    assert connections(known)["AIRFLOW_CONN_WAREHOUSE"] == known["GOLDWORKS_WAREHOUSE_URL"]


def test_amazon_s3_has_no_endpoint_in_the_connection(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    amazon = replace(settings, values={**settings.values, "AWS_ENDPOINT_URL": ""})
    assert "endpoint_url" in connections(settings.environment())["AIRFLOW_CONN_AWS_DEFAULT"]
    assert "endpoint_url" not in connections(amazon.environment())["AIRFLOW_CONN_AWS_DEFAULT"]
