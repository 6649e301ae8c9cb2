"""with_secrets: a program finds the container's secrets in its environment, each as it was written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import json, os, sys; print(json.dumps({'env': dict(os.environ), 'argv': sys.argv[1:]}))"


class Container:
    """A folder in place of a container's `/run/secrets` and `/opt/venvs`."""

    def __init__(self, root: Path, script: Path) -> None:
        self.secrets, self.environments, self.bin = root / "secrets", root / "venvs", root / "bin"
        for folder in (self.secrets, self.bin):
            folder.mkdir()
        text = script.read_text()
        assert "/run/secrets" in text
        assert "/opt/venvs" in text
        text = text.replace("/run/secrets", str(self.secrets)).replace("/opt/venvs", str(self.environments))
        (self.bin / "with_secrets").write_text(text)
        (self.bin / "with_secrets").chmod(0o755)

    def install(self, environment: str, name: str) -> None:
        """A program of one of the Python environments, and the link by which people call it."""
        program = self.environments / environment / "bin" / name
        program.parent.mkdir(parents=True)
        program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
        program.chmod(0o755)
        (self.bin / name).symlink_to("with_secrets")

    def call(self, name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        known = {"PATH": "/usr/bin:/bin", **environment}
        return subprocess.run(
            [self.bin / name, *arguments], env=known, capture_output=True, text=True, check=False
        )

    def sees(self, **environment: str) -> dict[str, str]:
        done = self.call("with_secrets", sys.executable, "-c", PROGRAM, **environment)
        assert done.returncode == 0, done.stderr
        seen: dict[str, str] = json.loads(done.stdout)["env"]
        return seen


@pytest.fixture
def container(tmp_path: Path, scripts: Path) -> Container:
    return Container(tmp_path, scripts / "with_secrets")


@pytest.mark.parametrize(
    "value",
    [
        "plain",
        " two words ",
        'it\'s "quoted"',
        "$HOME ${PATH} $(id) `id` $$",
        "back\\slash\\",
        "a\nb\n\nc",
        "*",
        "é=ü",
    ],
)
def test_a_value_arrives_unchanged(container: Container, value: str) -> None:
    (container.secrets / "LOADER_PASSWORD").write_text(value)
    assert container.sees()["LOADER_PASSWORD"] == value


def test_the_end_of_a_files_last_line_is_no_part_of_the_value(container: Container) -> None:
    """Who writes secrets by hand, or takes them from a vault, often leaves one."""
    (container.secrets / "LOADER_PASSWORD").write_text("word\n")
    assert container.sees()["LOADER_PASSWORD"] == "word"


def test_a_secret_wins_over_a_plain_setting(container: Container) -> None:
    (container.secrets / "LOADER_PASSWORD").write_text("hidden")
    assert container.sees(LOADER_PASSWORD="plain")["LOADER_PASSWORD"] == "hidden"


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_secret_is_no_variable(container: Container, text: str) -> None:
    """An empty key would keep boto3 from looking for a role."""
    (container.secrets / "AWS_SECRET_ACCESS_KEY").write_text(text)
    assert "AWS_SECRET_ACCESS_KEY" not in container.sees()


@pytest.mark.parametrize("name", ["lower", "1ST", "A-B", "A B", "A.txt", "_A"])
def test_a_file_whose_name_is_no_variables_is_left_alone(container: Container, name: str) -> None:
    (container.secrets / name).write_text("very-secret")
    (container.secrets / "LOADER_PASSWORD").write_text("word")
    seen = container.sees()
    assert seen["LOADER_PASSWORD"] == "word"
    assert "very-secret" not in seen.values()


def test_each_further_setting_is_a_variable(container: Container) -> None:
    further = {
        "AIRFLOW_CONN_THEIRS": "postgresql://them:p%40ss@db/theirs?a=b&c=d",
        "AIRFLOW__CORE__PARALLELISM": "16",
        "MY_PASSWORD": " $x `id` 'q' \"q\" \\ ",
    }
    lines = "".join(f"{name}={value}\n" for name, value in further.items())
    (container.secrets / "more_settings").write_text(lines)
    seen = container.sees()
    assert {name: seen.get(name) for name in further} == further


def test_further_settings_win_over_ours(container: Container) -> None:
    (container.secrets / "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN").write_text("ours")
    (container.secrets / "more_settings").write_text("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=theirs\n")
    assert container.sees()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == "theirs"


def test_a_container_without_secrets_runs_its_program(container: Container) -> None:
    assert container.sees(KNOWN="1")["KNOWN"] == "1"
    container.secrets.rmdir()
    assert container.sees(KNOWN="1")["KNOWN"] == "1"


def test_called_by_a_programs_name_it_is_that_program(container: Container) -> None:
    (container.secrets / "TRANSFORMER_PASSWORD").write_text("word")
    container.install("airflow", "goldworks")
    container.install("dbt", "dbt")
    done = container.call("dbt", "run", "--select", "a b", "")
    ran = json.loads(done.stdout)
    assert ran["argv"] == ["run", "--select", "a b", ""]
    assert ran["env"]["TRANSFORMER_PASSWORD"] == "word"


def test_the_exit_code_is_the_programs(container: Container) -> None:
    assert container.call("with_secrets", "bash", "-c", "exit 7").returncode == 7


def test_the_program_takes_the_place_of_the_script(container: Container) -> None:
    """Signals of Docker must reach it: a shell in between would keep them."""
    process = subprocess.Popen(
        [container.bin / "with_secrets", sys.executable, "-c", "import os; print(os.getpid())"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert int(process.communicate()[0]) == process.pid
