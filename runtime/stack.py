"""Stack: all services of one home, in the order in which they start and, backwards, stop."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime import Fault, airflow, object_store, superset
from runtime.postgres import Cluster
from runtime.postgres_binaries import copy_of, find_binaries
from runtime.services import Keeper, Service, inherited_environment
from runtime.settings import ROOT, WAREHOUSES, Settings

# Airflow's processes go first: their tasks still need everything else to end well.
STOP_ORDER = ("airflow-scheduler", "airflow-dags", "airflow-api", superset.NAME, object_store.NAME)

# Everything that a home may hold.
_OF_SERVERS = {
    "airflow",
    "dbt",
    "logs",
    "postgres",
    "postgres.new",
    "postgres.password",
    "run",
    "s3",
    "superset",
}
OURS = _OF_SERVERS | {
    "bin",
    "containers",
    "python",
    "uv",
    "venvs",
    "venvs.lock",
    "samples",
    "busy.lock",
    "settings.lock",
}


@dataclass(frozen=True)
class Stack:
    settings: Settings
    keeper: Keeper
    cluster: Cluster

    @classmethod
    def of(cls, settings: Settings) -> "Stack":
        cluster = Cluster(
            settings.home / "postgres",
            settings.port("GOLDWORKS_PG_PORT"),
            settings.values["POSTGRES_PASSWORD"],
            log_file=settings.log("postgres"),
            wheel=settings.venv("runtime"),
        )
        return cls(settings, Keeper(settings.home / "run", settings.home / "logs"), cluster)

    def services(self) -> list[Service]:
        """All but Postgres, which keeps its own process file."""
        return [
            object_store.service(self.settings),
            *airflow.services(self.settings),
            superset.service(self.settings),
        ]

    def holders_of_ports(self) -> dict[str, int | None]:
        """Which of our processes holds each port setting."""
        return {
            "GOLDWORKS_PG_PORT": self.cluster.pid,
            "GOLDWORKS_S3_PORT": self.keeper.pid(object_store.NAME),
            "GOLDWORKS_AIRFLOW_PORT": self.keeper.pid("airflow-api"),
            "GOLDWORKS_SUPERSET_PORT": self.keeper.pid(superset.NAME),
        }

    def start_postgres(self) -> None:
        """The cluster, with both warehouses, the metadata of init_db.sql and the passwords of the settings."""
        if not self.settings.runs_own_postgres:
            raise Fault(
                f"{self.settings.file}: GOLDWORKS_PG_HOST: only `make up` works on a server that is already there\n"
                "  `make up`, or take the line out: `make demo` starts a server of its own"
            )
        self.cluster.start()
        passwords = {
            name: value for name, value in self.settings.values.items() if name.endswith("_PASSWORD")
        }
        script = str(ROOT / "init_db.sql")
        try:
            for warehouse in WAREHOUSES.values():
                names = ["-v", f"warehouse={warehouse.database}", "-v", f"prefix={warehouse.prefix}"]
                self.cluster.psql(*names, "-f", script, variables=passwords)
            self.cluster.psql("-f", str(ROOT / "init_source.sql"), variables=passwords)
        except Fault as fault:
            if "password authentication failed" not in str(fault):
                raise
            raise Fault(
                f"{self.settings.file}: POSTGRES_PASSWORD is not the one that {self.cluster.data_dir} was made with\n"
                "  restore that file, or begin from scratch with `make clean`"
            ) from fault

    def start(self, services: Iterable[Service], patience: float = 120) -> None:
        """Start several at once, then wait until each is up."""
        wanted = list(services)
        for service in wanted:
            self.keeper.start(service)
        for service in wanted:
            self.keeper.wait_healthy(service, patience)

    def stop(self) -> list[str]:
        """The names of what had been running; the order matters, see STOP_ORDER."""
        patience = {service.name: service.patience for service in self.services()}
        stopped = [name for name in STOP_ORDER if self.keeper.stop(name, patience[name])]
        if self.cluster.pid is not None:
            self.cluster.stop()
            stopped.append("postgres")
        return stopped

    def running(self) -> list[str]:
        """The names of the servers that run."""
        own = ["postgres"] if self.cluster.pid else []
        return [*own, *(name for name in STOP_ORDER if self.keeper.pid(name) is not None)]

    def status(self) -> list[tuple[str, str, str, str]]:
        """(service, state, process id, address) of every service."""
        rows = []
        pid = self.cluster.pid
        rows.append(("postgres", "up" if pid else "down", str(pid or ""), f"127.0.0.1:{self.cluster.port}"))
        for service in self.services():
            pid = self.keeper.pid(service.name)
            state = "down" if pid is None else "up" if service.healthy() else "starting or ill"
            rows.append((service.name, state, str(pid or ""), service.address))
        return rows

    def remove(self) -> None:
        """Stop everything and delete the home, the settings, and what root had to put elsewhere."""
        self.stop()
        self.cluster.remove()
        with suppress(Fault):  # perhaps no Postgres was ever installed
            shutil.rmtree(copy_of(find_binaries(self.settings.venv("runtime")))[0], ignore_errors=True)
        # Only what is ours: GOLDWORKS_HOME may name a directory that holds other things.
        for name in OURS:
            place = self.settings.home / name
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place, ignore_errors=True)
            else:
                place.unlink(missing_ok=True)
        self.settings.file.unlink(missing_ok=True)
        with suppress(OSError):
            self.settings.home.rmdir()

    def link_programs(self) -> Path:
        """`<home>/bin`: the five programs of a developer's PATH, without the rest of their environments."""
        directory = self.settings.home / "bin"
        directory.mkdir(parents=True, exist_ok=True)
        programs = {
            "goldworks": self.settings.program("airflow", "goldworks"),
            "airflow": self.settings.program("airflow", "airflow"),
            "dbt": self.settings.program("dbt", "dbt"),
            "superset": self.settings.program("superset", "superset"),
            "psql": self.cluster.binaries / "psql",
        }
        for name, program in programs.items():
            link = directory / name
            if not link.is_symlink() or link.readlink() != program:
                link.unlink(missing_ok=True)
                link.symlink_to(program)
        return directory


def shell_environment(stack: Stack) -> dict[str, str]:
    """What `make env` exports, PATH aside: the shared settings, and those of airflow, superset and psql."""
    settings = stack.settings
    return {
        **airflow.environment(settings),
        **superset.environment(settings),
        **settings.environment(),
        **stack.cluster.connection(settings.warehouse.database),
    }


def tool_environment(stack: Stack) -> dict[str, str]:
    """For `goldworks` and `dbt` as the runtime itself calls them."""
    return {**inherited_environment(path_first=stack.settings.home / "bin"), **stack.settings.environment()}
