"""Containers: what is plain and what is secret, and that both arrive as they are in `.env`."""

import json
import re
import shutil
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from runtime import airflow, containers
from runtime.settings import GENERATED, ROOT, Settings, load_settings

# What every container may know.
PLAIN = {
    "AIRFLOW_URL",
    "AIRFLOW_USER",
    "AIRFLOW__API__BASE_URL",
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__COSMOS__ENABLE_TELEMETRY",
    "AIRFLOW__FAB__COOKIE_SECURE",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "DBT_SEND_ANONYMOUS_USAGE_STATS",
    "DO_NOT_TRACK",
    "GOLDWORKS_LANDING_URL",
    "MINISTACK_REGION",
    "POSTGRES_ADMIN",
    "REPORTER_USER",
    "SCARF_ANALYTICS",
    "SUPERSET_URL",
    "SUPERSET_USER",
    "TRANSFORMER_USER",
    "WAREHOUSE_DB",
    "WAREHOUSE_HOST",
    "WAREHOUSE_PORT",
}
# What `.env` may say besides, of which nobody promised that it is no secret.
FURTHER = (
    "AIRFLOW_CONN_THEIRS",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__SMTP__SMTP_PASSWORD",
    "AWS_SESSION_TOKEN",
    "GOLDWORKS_WAREHOUSE_URL",
    "MY_PASSWORD",
    "SUPERSET_METADATA_URI",
)
HIDDEN = sorted(
    {name for name in GENERATED if name.endswith(("_PASSWORD", "_KEY", "_SECRET"))}
    | {"AWS_SECRET_ACCESS_KEY"}
)

line = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30)
secret = line.map(lambda text: f"very-secret {text}")


@cache
def defaults() -> Settings:
    with TemporaryDirectory() as home:
        return load_settings(Path(home))


def settings(**changed: str) -> Settings:
    """Those of a fresh `.env`, with lines of one's own."""
    return replace(defaults(), values={**defaults().values, **changed})


def reads(text: str) -> str:
    """How Compose reads a quoted value of an env_file: escapes go, and a variable is filled in unless it is escaped."""
    assert text[0] == text[-1] == '"'
    assert not re.search(r'(?<!\\)(\\\\)*["$]', text[1:-1])
    return re.sub(r"\\(.)", r"\1", text[1:-1])


# ── what is plain ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("distributed", [False, True])
def test_every_container_sees_what_is_listed_here_and_no_more(distributed: bool) -> None:
    assert set(containers.plain_settings(settings(), distributed=distributed)) == PLAIN


@given(
    own=st.fixed_dictionaries(dict.fromkeys(HIDDEN, secret)),
    further=st.dictionaries(st.sampled_from(FURTHER) | st.from_regex(r"\A[A-Z][A-Z0-9_]{9,20}\Z"), secret),
    distributed=st.booleans(),
    warehouse=st.sampled_from(["prod", "dev"]),
    host=st.sampled_from(["", "db.example.com"]),
)
def test_plain_settings_hold_no_secret_whatever_the_file_says(
    own: dict[str, str], further: dict[str, str], distributed: bool, warehouse: str, host: str
) -> None:
    known = settings(
        **{name: value for name, value in further.items() if name not in PLAIN and name not in GENERATED},
        **own,
        GOLDWORKS_WAREHOUSE=warehouse,
        GOLDWORKS_PG_HOST=host,
    )
    plain = containers.plain_settings(known, distributed=distributed)
    assert not [name for name, value in plain.items() if "very-secret" in value]


def test_keys_of_the_fresh_file_are_no_plain_setting() -> None:
    plain = containers.plain_settings(settings(), distributed=True)
    hidden = {defaults().values[name] for name in HIDDEN}
    assert len(hidden) == len(HIDDEN)
    assert not [name for name, value in plain.items() if any(one in value for one in hidden)]


@given(line)
def test_a_plain_setting_is_quoted_so_that_compose_fills_in_nothing(value: str) -> None:
    assert reads(containers._quoted(value)) == value


def has_compose() -> bool:
    asked = ["docker", "compose", "version"]
    return bool(shutil.which("docker")) and subprocess.run(asked, capture_output=True).returncode == 0


@pytest.mark.skipif(not has_compose(), reason="without Docker Compose nobody is there to read it")
def test_compose_itself_reads_a_plain_setting_as_it_is(tmp_path: Path) -> None:
    values = [
        "a b", " a ", "it's", '"q"', "'", "\\", "a\\b", "a\\", "\\'", "\\\\'", "a\\n", "$x ${y} $$z", "\\$x", "#a # c",
        "`id`", "é", "a=b", "",
    ]  # fmt: skip
    lines = [f"V{number}={containers._quoted(value)}\n" for number, value in enumerate(values)]
    (tmp_path / "platform.env").write_text("".join(lines))
    (tmp_path / "compose.yaml").write_text("services: {one: {image: none, env_file: [platform.env]}}\n")
    asked = ["docker", "compose", "--project-directory", str(tmp_path), "config", "--format", "json"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout)["services"]["one"]["environment"]
    # what it prints is a Compose file again, where a $ is written twice
    assert [read[f"V{number}"].replace("$$", "$") for number in range(len(values))] == values


# ── what is secret ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "further", [{}, dict.fromkeys(FURTHER, "theirs")], ids=["a fresh file", "lines of one's own"]
)
def test_there_is_a_secret_for_each_that_the_compose_file_mounts_and_none_besides(
    further: Mapping[str, str],
) -> None:
    mounted = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["secrets"]
    assert set(containers.secrets(settings(**further))) == set(mounted)


def test_all_that_the_file_holds_beyond_our_own_settings_reaches_airflow() -> None:
    further = {
        "AIRFLOW__CORE__PARALLELISM": "16",
        "AIRFLOW_CONN_THEIRS": "postgresql://them:their%20word@db/theirs",
        "AWS_SESSION_TOKEN": "token==",
        "MY_PASSWORD": " $x 'y'",
    }
    ours = {
        "GOLDWORKS_CONTRACTS": "/theirs",
        "COMPOSE_PARALLEL_LIMIT": "2",
        "WAREHOUSE_TYPE": "postgres",
        "EMPTY": "",
    }
    known = settings(**further, **ours, SUPERSET_METADATA_URI="postgresql://superset:word@db/superset")
    told = containers.more_settings(known)
    assert {name: told[name] for name in told if "SOURCE" not in name} == further
    written = containers.secrets(known)["more_settings"]
    assert dict(one.split("=", 1) for one in written.splitlines()) == told


def test_a_fresh_file_tells_further_of_the_shop_alone() -> None:
    shop = settings(CAPTURE_PASSWORD="p@ss")
    url = "postgresql://capture:p%40ss@postgres:5432/shop"
    assert containers.more_settings(shop) == {
        "GOLDWORKS_SOURCE_SHOP_URL": url,
        "AIRFLOW_CONN_SOURCE_SHOP": url,
    }


def test_a_source_of_ones_own_reaches_airflow_under_the_name_that_its_contract_has() -> None:
    url = "postgresql://reader:word@erp.example.com/erp"
    told = containers.more_settings(settings(GOLDWORKS_SOURCE_ERP_URL=url))
    assert (told["GOLDWORKS_SOURCE_ERP_URL"], told["AIRFLOW_CONN_SOURCE_ERP"]) == (url, url)


@pytest.mark.parametrize(
    "theirs",
    [
        {"GOLDWORKS_PG_HOST": "db.example.com"},
        {"GOLDWORKS_LANDING_URL": "s3://theirs", "AWS_ENDPOINT_URL": ""},
    ],
)
def test_where_server_or_bucket_are_somebodys_own_there_is_no_shop(theirs: dict[str, str]) -> None:
    known = settings(**theirs)
    assert containers.more_settings(known) == {}
    assert containers.secrets(known)["GOLDWORKS_SHOP_URL"] == ""
    assert "shop" not in containers.profiles(known, distributed=False)


def test_superset_keeps_its_metadata_where_the_file_says() -> None:
    elsewhere = "postgresql+psycopg2://superset:word@db.example.com/superset"
    assert containers.secrets(settings(SUPERSET_METADATA_URI=elsewhere))["SUPERSET_METADATA_URI"] == elsewhere
    own = settings(SUPERSET_DB_PASSWORD="p@ss")
    there = "postgresql+psycopg2://superset:p%40ss@postgres:5432/superset"
    assert containers.secrets(own)["SUPERSET_METADATA_URI"] == there


@pytest.mark.parametrize(
    ("warehouse", "prefix", "database"), [("prod", "", "warehouse"), ("dev", "dev_", "warehouse_dev")]
)
def test_the_chosen_warehouse_decides_who_loads_transforms_and_reports(
    warehouse: str, prefix: str, database: str
) -> None:
    known = settings(GOLDWORKS_WAREHOUSE=warehouse)
    words = {
        part: known.values[f"{prefix.upper()}{part}_PASSWORD"]
        for part in ("LOADER", "TRANSFORMER", "REPORTER")
    }
    hidden, plain = containers.secrets(known), containers.plain_settings(known, distributed=False)
    assert (
        hidden["GOLDWORKS_WAREHOUSE_URL"]
        == f"postgresql://{prefix}loader:{words['LOADER']}@postgres:5432/{database}"
    )
    assert hidden["AIRFLOW_CONN_WAREHOUSE"] == hidden["GOLDWORKS_WAREHOUSE_URL"]
    assert f"{prefix}transformer:{words['TRANSFORMER']}@" in hidden["AIRFLOW_CONN_TRANSFORMER"]
    assert hidden["CHOSEN_TRANSFORMER_PASSWORD"] == words["TRANSFORMER"]
    assert hidden["CHOSEN_REPORTER_PASSWORD"] == words["REPORTER"]
    assert (plain["TRANSFORMER_USER"], plain["REPORTER_USER"]) == (
        f"{prefix}transformer",
        f"{prefix}reporter",
    )
    assert plain["WAREHOUSE_DB"] == database
    # init_db.sql makes the roles of both, whichever is chosen
    both = {name for name in hidden if re.fullmatch(r"(DEV_)?(LOADER|TRANSFORMER|REPORTER)_PASSWORD", name)}
    assert {name: hidden[name] for name in both} == {name: known.values[name] for name in both}
    assert len(both) == 6


def test_containers_find_one_another_by_the_names_of_their_services() -> None:
    known = settings(REDIS_PASSWORD="word")
    plain, hidden = containers.plain_settings(known, distributed=True), containers.secrets(known)
    services = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["services"]
    assert (plain["WAREHOUSE_HOST"], plain["WAREHOUSE_PORT"]) == ("postgres", "5432")
    assert plain["AWS_ENDPOINT_URL"] == f"http://s3:{services['s3']['environment']['GATEWAY_PORT']}"
    assert hidden["AIRFLOW__CELERY__BROKER_URL"] == "redis://:word@redis:6379/0"
    assert {"postgres", "s3", "redis"} <= set(services)
    for text in [hidden["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"], hidden["SUPERSET_METADATA_URI"]]:
        assert "@postgres:5432/" in text
    # people come from this machine
    assert plain["AIRFLOW__API__BASE_URL"] == plain["AIRFLOW_URL"] == "http://127.0.0.1:8080"


# ── what the settings replace ─────────────────────────────────────────────────────────────────────────────────────


def test_the_local_servers_run_unless_the_file_names_others() -> None:
    assert containers.profiles(settings(), distributed=False) == ["local-postgres", "local-s3", "shop"]
    assert containers.profiles(settings(), distributed=True)[-1] == "distributed"
    real_s3 = settings(GOLDWORKS_LANDING_URL="s3://theirs", AWS_ENDPOINT_URL="")
    assert containers.profiles(real_s3, distributed=False) == ["local-postgres"]
    external = settings(GOLDWORKS_PG_HOST="db.example.com")
    assert containers.profiles(external, distributed=False) == ["local-s3"]


def test_only_ports_that_containers_publish_must_be_free() -> None:
    pages = ["GOLDWORKS_AIRFLOW_PORT", "GOLDWORKS_SUPERSET_PORT"]
    assert containers.published_ports(settings()) == ["GOLDWORKS_PG_PORT", *pages]
    assert containers.published_ports(settings(GOLDWORKS_PG_HOST="db.example.com")) == pages


def test_with_celery_the_executor_is_celerys() -> None:
    executor = "AIRFLOW__CORE__EXECUTOR"
    assert containers.plain_settings(settings(), distributed=True)[executor] == "CeleryExecutor"
    assert containers.plain_settings(settings(), distributed=False)[executor] == "LocalExecutor"


def test_a_server_that_is_already_there_is_told_to_every_container() -> None:
    external = {
        "GOLDWORKS_PG_HOST": "db.example.com",
        "GOLDWORKS_PG_PORT": "5433",
        "GOLDWORKS_PG_ADMIN": "chief",
    }
    known = settings(**external, PGSSLMODE="verify-full")
    plain, hidden = containers.plain_settings(known, distributed=False), containers.secrets(known)
    assert (plain["WAREHOUSE_HOST"], plain["WAREHOUSE_PORT"]) == ("db.example.com", "5433")
    assert (plain["POSTGRES_ADMIN"], plain["PGSSLMODE"]) == ("chief", "verify-full")
    logins = [name for name, value in hidden.items() if "@db.example.com:5433/" in value]
    assert sorted(logins) == [
        "AIRFLOW_CONN_TRANSFORMER",
        "AIRFLOW_CONN_WAREHOUSE",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
        "GOLDWORKS_WAREHOUSE_URL",
        "SUPERSET_METADATA_URI",
    ]
    assert not [name for name, value in {**plain, **hidden}.items() if "@postgres:" in value]


def test_where_lake_reports_and_log_are_is_told_to_every_container() -> None:
    own = {
        "GOLDWORKS_LAKE_URL": "s3://lake",
        "GOLDWORKS_REPORTS_URL": "s3://landing/told",
        "GOLDWORKS_LOG": "-",
    }
    plain = containers.plain_settings(settings(**own), distributed=False)
    assert {name: plain[name] for name in own} == own


def test_real_s3_gets_the_keys_of_the_file_and_no_endpoint() -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_DEFAULT_REGION": "eu-west-1"}
    known = settings(
        **keys, GOLDWORKS_LANDING_URL="s3://theirs", AWS_ENDPOINT_URL="", AWS_SESSION_TOKEN="for an hour"
    )
    plain, hidden = containers.plain_settings(known, distributed=False), containers.secrets(known)
    assert "AWS_ENDPOINT_URL" not in plain
    assert (plain["AWS_ACCESS_KEY_ID"], plain["GOLDWORKS_LANDING_URL"]) == ("AKIA", "s3://theirs")
    assert hidden["AWS_SECRET_ACCESS_KEY"] == "hush"
    assert json.loads(hidden["AIRFLOW_CONN_AWS_DEFAULT"]) == {
        "conn_type": "aws",
        "login": "AKIA",
        "password": "hush",
        "extra": {"region_name": "eu-west-1", "aws_session_token": "for an hour"},
    }


def test_empty_keys_leave_the_login_to_a_role_of_the_machine() -> None:
    """boto3 and Airflow look for a role only where no key is named, not even an empty one."""
    empty = dict.fromkeys(
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"], ""
    )
    known = settings(**empty, GOLDWORKS_LANDING_URL="s3://theirs")
    plain, hidden = containers.plain_settings(known, distributed=False), containers.secrets(known)
    assert not {"AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"} & set(plain)
    assert hidden["AWS_SECRET_ACCESS_KEY"] == ""  # with_secrets makes no variable of it
    assert json.loads(hidden["AIRFLOW_CONN_AWS_DEFAULT"]) == {"conn_type": "aws", "extra": {}}
    assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & set(airflow.environment(known))


# ── the files ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_nobody_but_the_owner_can_enter_the_folder_of_secrets(tmp_path: Path) -> None:
    known = load_settings(tmp_path)
    (tmp_path / "containers").mkdir(mode=0o755)
    containers.write(known, distributed=False)
    assert stat.S_IMODE((tmp_path / "containers").stat().st_mode) == 0o700
    # the users inside containers are others, and see the mounted file only
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "containers/secrets").iterdir()} == {
        0o644
    }


def test_each_secret_is_a_file_and_the_plain_settings_are_one(tmp_path: Path) -> None:
    known = load_settings(tmp_path)
    containers.write(known, distributed=True)
    folder = tmp_path / "containers"
    assert {file.name: file.read_text() for file in (folder / "secrets").iterdir()} == containers.secrets(
        known
    )
    pairs = [text.split("=", 1) for text in (folder / "platform.env").read_text().splitlines()]
    told = {name: reads(value) for name, value in pairs}
    assert told.pop("GOLDWORKS_SECRETS")
    assert told == containers.plain_settings(known, distributed=True)


def test_a_changed_secret_changes_a_plain_setting_so_that_compose_starts_containers_anew(
    tmp_path: Path,
) -> None:
    known = load_settings(tmp_path)
    platform = tmp_path / "containers" / "platform.env"

    def fingerprint(changed: Mapping[str, str]) -> str:
        containers.write(replace(known, values={**known.values, **changed}), distributed=False)
        return dict(text.split("=", 1) for text in platform.read_text().splitlines())["GOLDWORKS_SECRETS"]

    first = fingerprint({})
    assert fingerprint({}) == first
    assert fingerprint({"LOADER_PASSWORD": "another"}) != first
    assert fingerprint({"AIRFLOW__CORE__PARALLELISM": "16"}) != first


def test_a_secret_is_changed_in_place_for_a_container_that_runs(tmp_path: Path) -> None:
    """What is mounted is the file, not its name: one put in its place would never be seen inside."""
    known = load_settings(tmp_path)
    containers.write(known, distributed=False)
    file = tmp_path / "containers" / "secrets" / "LOADER_PASSWORD"
    before = file.stat()
    containers.write(known, distributed=False)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    containers.write(replace(known, values={**known.values, "LOADER_PASSWORD": "another"}), distributed=False)
    assert (file.stat().st_ino, file.read_text()) == (before.st_ino, "another")
