"""Settings: written once, private, never overwritten, and quoted so that any shell reads them back."""

import shlex
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from runtime import Fault
from runtime.settings import PORTS, Addresses, load_settings, read_env_file
from runtime.stack import Stack, shell_environment


def test_the_file_is_private_and_holds_a_value_for_everything(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert stat.S_IMODE(settings.file.stat().st_mode) == 0o600
    assert all(settings.values.values())
    assert {settings.port(name) for name in PORTS} == set(PORTS.values())


def test_what_a_person_wrote_stays_and_a_missing_setting_is_appended(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# mine\nAIRFLOW_PASSWORD='my own # password'\nMY_EXTRA=1\n")
    settings = load_settings(tmp_path)
    assert settings.values["AIRFLOW_PASSWORD"] == "my own # password"
    assert settings.values["MY_EXTRA"] == "1"
    assert settings.values["SUPERSET_PASSWORD"]
    assert file.read_text().startswith("# mine\nAIRFLOW_PASSWORD='my own # password'\n")


def test_a_second_reading_changes_no_byte(tmp_path: Path) -> None:
    before = load_settings(tmp_path).file.read_bytes()
    assert load_settings(tmp_path).file.read_bytes() == before


def test_two_homes_share_no_secret(tmp_path: Path) -> None:
    one, other = load_settings(tmp_path / "one"), load_settings(tmp_path / "other")
    secret = [
        name for name in one.values if name.endswith(("PASSWORD", "_KEY", "_SECRET")) and name not in PORTS
    ]
    assert secret
    assert not [name for name in secret if one.values[name] == other.values[name]]


def test_free_ports_are_drawn_for_new_settings(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, free_ports=True)
    drawn = {settings.port(name) for name in PORTS}
    assert len(drawn) == len(PORTS)
    assert not drawn & set(PORTS.values())


def test_a_port_of_the_shell_is_taken_over_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOLDWORKS_S3_PORT", "9100")
    assert load_settings(tmp_path).port("GOLDWORKS_S3_PORT") == 9100
    monkeypatch.setenv("GOLDWORKS_S3_PORT", "9200")
    assert load_settings(tmp_path).port("GOLDWORKS_S3_PORT") == 9100


def test_a_line_that_is_no_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AIRFLOW_USER=me\nwhat is this\n")
    with pytest.raises(Fault, match=r"\.env:2: 'what is this' is not a setting"):
        load_settings(tmp_path)


def test_a_wrong_port_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_PG_PORT=lots\n")
    with pytest.raises(Fault, match="GOLDWORKS_PG_PORT: 'lots' is not a port"):
        load_settings(tmp_path).port("GOLDWORKS_PG_PORT")


def test_values_survive_the_way_through_a_shell(tmp_path: Path) -> None:
    nasty = "a'b\"c$(id)`id` \\ #é"
    (tmp_path / ".env").write_text(f"AIRFLOW_PASSWORD={nasty}\n")
    exports = shell_environment(Stack.of(load_settings(tmp_path)))
    script = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items())
    shown = subprocess.run(
        ["sh", "-c", f'{script}printf %s "$AIRFLOW_PASSWORD"'], capture_output=True, check=True
    ).stdout
    assert shown.decode() == nasty


def test_a_password_with_signs_of_its_own_makes_a_valid_url(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOADER_PASSWORD=p@ss:/word?#\n")
    url = load_settings(tmp_path).environment()["GOLDWORKS_WAREHOUSE_URL"]
    assert url == "postgresql://loader:p%40ss%3A%2Fword%3F%23@127.0.0.1:54320/warehouse"


def test_real_s3_gets_no_local_endpoint(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_LANDING_URL=s3://theirs\nAWS_ENDPOINT_URL=\n")
    settings = load_settings(tmp_path)
    assert not settings.runs_own_s3
    assert "AWS_ENDPOINT_URL" not in settings.environment()
    assert settings.environment()["GOLDWORKS_LANDING_URL"] == "s3://theirs"


def test_secrets_of_the_servers_are_not_for_every_part(tmp_path: Path) -> None:
    shared = load_settings(tmp_path).environment()
    assert not {"POSTGRES_PASSWORD", "AIRFLOW_FERNET_KEY", "SUPERSET_SECRET_KEY"} & set(shared)


def test_an_older_file_goes_on_writing_prod(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOADER_PASSWORD=mine\n")
    settings = load_settings(tmp_path)
    assert "GOLDWORKS_WAREHOUSE=prod\n" in settings.file.read_text()
    assert (
        settings.environment()["GOLDWORKS_WAREHOUSE_URL"]
        == "postgresql://loader:mine@127.0.0.1:54320/warehouse"
    )


def test_the_chosen_warehouse_decides_for_every_part(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_WAREHOUSE=dev\n")
    settings = load_settings(tmp_path)
    own = settings.values
    shared = settings.environment()
    login = f"dev_loader:{own['DEV_LOADER_PASSWORD']}"
    assert shared["GOLDWORKS_WAREHOUSE_URL"] == f"postgresql://{login}@127.0.0.1:54320/warehouse_dev"
    assert shared["WAREHOUSE_DB"] == "warehouse_dev"
    assert (shared["TRANSFORMER_USER"], shared["REPORTER_USER"]) == ("dev_transformer", "dev_reporter")
    for part in ("LOADER", "TRANSFORMER", "REPORTER"):
        assert shared[f"{part}_PASSWORD"] == own[f"DEV_{part}_PASSWORD"]
    assert shell_environment(Stack.of(settings))["PGDATABASE"] == "warehouse_dev"


@pytest.mark.parametrize(("chosen", "other"), [("prod", "DEV_"), ("dev", "")])
def test_passwords_of_the_other_warehouse_stay_in_the_file(tmp_path: Path, chosen: str, other: str) -> None:
    (tmp_path / ".env").write_text(f"GOLDWORKS_WAREHOUSE={chosen}\n")
    settings = load_settings(tmp_path)
    hidden = {settings.values[f"{other}{part}_PASSWORD"] for part in ("LOADER", "TRANSFORMER", "REPORTER")}
    shared = shell_environment(Stack.of(settings))
    assert not [name for name, value in shared.items() if any(password in value for password in hidden)]
    assert not [name for name in shared if name.startswith("DEV_")]


def test_a_warehouse_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_WAREHOUSE=staging\n")
    with pytest.raises(
        Fault, match=r"\.env: GOLDWORKS_WAREHOUSE: 'staging' is not a warehouse\n  write prod or dev"
    ):
        load_settings(tmp_path).environment()


def test_the_same_settings_serve_parts_that_run_elsewhere(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    here = Addresses.of_this_machine(settings)
    assert settings.environment(here) == settings.environment()
    there = replace(
        here,
        postgres_host="postgres",
        postgres_port=5432,
        s3_url="http://s3:9000",
        airflow_url="http://airflow:8080",
        superset_url="http://superset:8088",
        contracts=Path("/opt/contracts"),
        dbt_project=Path("/opt/dbt"),
        home=Path("/opt/home"),
    )
    told = settings.environment(there)
    assert told["GOLDWORKS_WAREHOUSE_URL"].endswith("@postgres:5432/warehouse")
    assert (told["WAREHOUSE_HOST"], told["WAREHOUSE_PORT"]) == ("postgres", "5432")
    assert told["AWS_ENDPOINT_URL"] == "http://s3:9000"
    assert told["DBT_PROFILES_DIR"] == told["DBT_PROJECT_DIR"] == "/opt/dbt"
    assert not [name for name, value in told.items() if "127.0.0.1" in value or str(tmp_path) in value]
    assert settings.database_url("airflow", "airflow", addresses=there).endswith("@postgres:5432/airflow")


def test_a_server_that_is_already_there_is_told_to_every_part(tmp_path: Path) -> None:
    lines = ["GOLDWORKS_PG_HOST=db.example.com", "GOLDWORKS_PG_PORT=5432", "GOLDWORKS_PG_ADMIN=chief"]
    (tmp_path / ".env").write_text("\n".join([*lines, "PGSSLMODE=verify-full"]) + "\n")
    settings = load_settings(tmp_path)
    assert not settings.runs_own_postgres
    assert settings.postgres_admin == "chief"
    told = settings.environment()
    assert told["GOLDWORKS_WAREHOUSE_URL"].endswith("@db.example.com:5432/warehouse")
    assert (told["WAREHOUSE_HOST"], told["PGSSLMODE"]) == ("db.example.com", "verify-full")


def test_the_embedded_runtime_refuses_a_server_that_is_already_there(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_PG_HOST=db.example.com\n")
    with pytest.raises(Fault, match=r"\.env: GOLDWORKS_PG_HOST: only `make up` works on a server"):
        Stack.of(load_settings(tmp_path)).start_postgres()


def test_the_example_names_every_setting(tmp_path: Path) -> None:
    example = read_env_file(Path(__file__).resolve().parents[3] / ".env.example")
    assert set(example) == set(load_settings(tmp_path).values)
