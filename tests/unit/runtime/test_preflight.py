"""Preflight: each obstacle is named with the way around it, before anything is started."""

import errno
import os
import re
import shutil
import socket
from pathlib import Path

import pytest

from runtime import Fault, commands, environments, preflight
from runtime.settings import load_settings


def test_a_taken_port_names_its_holder_and_the_setting(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, free_ports=True)
    port = settings.port("GOLDWORKS_AIRFLOW_PORT")
    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(
            Fault, match=rf"127\.0\.0\.1:{port} is taken.*\n.*set GOLDWORKS_AIRFLOW_PORT in"
        ) as caught:
            preflight.check_ports(settings, {})
        if Path("/proc/net/tcp").exists():
            assert f"process {os.getpid()} (" in str(caught.value)
        preflight.check_ports(settings, {"GOLDWORKS_AIRFLOW_PORT": os.getpid()})  # our own server


def test_a_port_taken_on_every_interface_is_taken_here(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert not preflight.port_is_free(server.getsockname()[1])


def test_one_port_for_two_services_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("GOLDWORKS_S3_PORT=8088\n")
    with pytest.raises(Fault, match="GOLDWORKS_SUPERSET_PORT and GOLDWORKS_S3_PORT are both 8088"):
        preflight.check_ports(load_settings(tmp_path), dict.fromkeys(("GOLDWORKS_PG_PORT",), 1))


def test_a_full_disk_is_told_with_the_room_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 9, 1 << 30))
    with pytest.raises(Fault, match=r"1\.1 GB free, 4\.3 GB needed\n.*GOLDWORKS_HOME"):
        preflight.check_disk(tmp_path, first_run=True)
    preflight.check_disk(tmp_path, first_run=False)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.ENOSPC, r"No space left on device\n  make room"),
        (errno.EACCES, r"Permission denied\n  was an earlier run another user's.*chown"),
        (errno.EROFS, r"Read-only file system\n.*GOLDWORKS_HOME"),
    ],
)
def test_what_the_system_refuses_is_told_without_a_traceback(
    number: int,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "there"))

    monkeypatch.setattr(commands, "load_settings", refuse)
    assert commands.main(["status", "--home", str(tmp_path)]) == 1
    assert re.search(rf"there: {told}", capsys.readouterr().err)


def test_a_refusal_that_is_no_matter_of_disks_and_owners_keeps_its_traceback(tmp_path: Path) -> None:
    assert preflight.explain(OSError(errno.ENOEXEC, "Exec format error"), tmp_path) is None
    unnamed = preflight.explain(OSError(errno.ENOSPC, "No space left on device"), tmp_path)
    assert str(unnamed).startswith(f"{tmp_path}: No space left")


def test_a_running_docker_runtime_is_refused() -> None:
    with pytest.raises(Fault, match=r"already runs in Docker\n.*`make down` first"):
        preflight.check_docker(lambda: True)
    preflight.check_docker(lambda: False)


def test_a_running_embedded_runtime_is_refused_with_the_servers_named() -> None:
    with pytest.raises(Fault, match=r"runs without Docker: postgres, superset\n.*`make stop` first"):
        preflight.check_embedded(iter(["postgres", "superset"]))
    preflight.check_embedded([])


def test_only_the_ports_asked_for_must_be_free(tmp_path: Path) -> None:
    """The S3 server of containers takes none on this machine."""
    settings = load_settings(tmp_path, free_ports=True)
    with socket.create_server(("127.0.0.1", settings.port("GOLDWORKS_S3_PORT"))):
        preflight.check_ports(settings, {}, ["GOLDWORKS_AIRFLOW_PORT", "GOLDWORKS_SUPERSET_PORT"])
        with pytest.raises(Fault, match="GOLDWORKS_S3_PORT"):
            preflight.check_ports(settings, {}, ["GOLDWORKS_S3_PORT"])


def test_a_python_that_only_pretends_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shims of version managers exist for versions that nobody installed; they fail when called."""
    for name in ("python3.12", "python3.11"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'not installed' >&2\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(environments.sys, "version_info", (3, 13, 0))
    assert environments.find_python(tmp_path / "home") is None
