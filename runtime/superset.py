"""Superset: its metadata, its administrator, its one process, and the dashboards imported from files."""

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
    how = [f"--config={ROOT / 'superset' / 'gunicorn.conf.py'}", f"--bind=127.0.0.1:{port}"]
    return Service(
        NAME,
        [str(settings.program("superset", "gunicorn")), *how, "superset.app:create_app()"],
        process_environment(settings),
        lambda: answers(f"http://127.0.0.1:{port}/health", "OK"),
        f"http://127.0.0.1:{port}",
    )


def prepare(settings: Settings) -> None:
    """Metadata of this version, the administrator, roles; costs little when all are there already."""
    (settings.home / "superset").mkdir(parents=True, exist_ok=True)
    _script(settings, "prepare.py", "superset/prepare.py")


def import_dashboards(settings: Settings) -> str:
    """Bring the asset files in and read them back; repeated, it changes nothing. Superset must be up."""
    return _script(settings, "import_assets.py", "importing the dashboards")


def _script(settings: Settings, file: str, name: str) -> str:
    """The output of one of the programs in superset/, run by Superset's own Python."""
    argv = [str(settings.program("superset", "python")), str(ROOT / "superset" / file)]
    return run_program(argv, process_environment(settings), settings.home, name)
