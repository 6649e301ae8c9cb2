"""Settings: written once, private, never overwritten, and quoted so that any shell reads them back."""

import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from runtime import Fault
from runtime.settings import PORTS, load_settings, read_env_file
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
    with pytest.raises(Fault, match=r"\.env:2: 'what is this' is no setting"):
        load_settings(tmp_path)


def test_a_wrong_port_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_PG_PORT=lots\n")
    with pytest.raises(Fault, match="GOLDWORKS_PG_PORT: 'lots' is no port"):
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


def test_the_example_names_every_setting(tmp_path: Path) -> None:
    example = read_env_file(Path(__file__).resolve().parents[3] / ".env.example")
    assert set(example) == set(load_settings(tmp_path).values)
