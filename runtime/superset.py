"""Superset: its metadata, its administrator, its one process, and the dashboards brought in from files."""

import hashlib

from runtime.services import Service, answers, inherited_environment, run_program
from runtime.settings import ROOT, Settings

NAME = "superset"


def environment(settings: Settings) -> dict[str, str]:
    """Superset's own settings (superset/superset_config.py); the `superset` of a shell gets the same."""
    return {
        "SUPERSET_CONFIG_PATH": str(ROOT / "superset" / "superset_config.py"),
        "SUPERSET_HOME": str(settings.home / "superset"),
        "FLASK_APP": "superset.app:create_app()",
        "SUPERSET_SECRET_KEY": settings.values["SUPERSET_SECRET_KEY"],
        "SUPERSET_METADATA_URI": settings.database_url("superset", "superset", "postgresql+psycopg2"),
    }


def process_environment(settings: Settings) -> dict[str, str]:
    return {**inherited_environment(), **environment(settings), **settings.environment()}


def service(settings: Settings) -> Service:
    port = settings.port("GOLDWORKS_SUPERSET_PORT")
    one_process = ["--workers", "1", "--worker-class", "gthread", "--threads", "8"]
    limits = ["--timeout", "120", "--limit-request-line", "0", "--bind", f"127.0.0.1:{port}"]
    return Service(
        NAME,
        [str(settings.program("superset", "gunicorn")), *one_process, *limits, "superset.app:create_app()"],
        process_environment(settings),
        lambda: answers(f"http://127.0.0.1:{port}/health", "OK"),
        f"http://127.0.0.1:{port}",
    )


def prepare(settings: Settings) -> None:
    """Metadata of this version, the administrator, roles; costs nothing when all are there already."""
    home = settings.home / "superset"
    home.mkdir(parents=True, exist_ok=True)
    user, password = settings.values["SUPERSET_USER"], settings.values["SUPERSET_PASSWORD"]
    secret = settings.values["SUPERSET_SECRET_KEY"]
    requirements = hashlib.sha256((ROOT / "superset/requirements.txt").read_bytes()).hexdigest()
    prepared = home / "prepared"
    fingerprint = requirements + hashlib.sha256(f"{secret}{user}\n{password}".encode()).hexdigest()
    if prepared.exists() and prepared.read_text() == fingerprint:
        return
    _command(settings, "db", "upgrade")
    names = ["--firstname", "Gold", "--lastname", "Works", "--email", f"{user}@example.com"]
    said = _command(settings, "fab", "create-admin", "--username", user, "--password", password, *names)
    if "already exist" in said or "Error!" in said:
        _command(settings, "fab", "reset-password", "--username", user, "--password", password)
    _command(settings, "init")
    prepared.write_text(fingerprint)


def _command(settings: Settings, *arguments: str) -> str:
    argv = [str(settings.program("superset", "superset")), *arguments]
    return run(settings, argv, f"superset {' '.join(arguments[:2])}")


def run(settings: Settings, argv: list[str], name: str) -> str:
    """The output of a program of Superset's environment."""
    return run_program(argv, process_environment(settings), settings.home, name)


def import_dashboards(settings: Settings) -> str:
    """Bring the asset files in and read them back; repeated, it changes nothing. Superset must be up."""
    python = str(settings.program("superset", "python"))
    return run(settings, [python, str(ROOT / "superset" / "import_assets.py")], "importing the dashboards")
