"""Compose: the platform in containers, by the `docker compose` of this machine."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace

from runtime import Fault
from runtime.services import last_lines
from runtime.settings import ROOT, Settings
from runtime.terminal import accent, is_terminal, say, seconds

FILE = ROOT / "docker-compose.yaml"
DEVELOPMENT = ROOT / "docker-compose.dev.yaml"
OVERRIDE = ROOT / "docker-compose.override.yaml"
ALL_PROFILES = ("*",)
# Of Compose v2: dependencies that a profile leaves out (2.20).
LEAST_VERSION = (2, 20)


@dataclass(frozen=True)
class Container:
    """A container as `docker compose ps` sees it; of a service with replicas there are several."""

    id: str
    name: str
    service: str
    state: str  # created, running, restarting, exited, …
    health: str  # starting, healthy, unhealthy; empty without a health check
    exit_code: int

    @property
    def is_ready(self) -> bool:
        """Whether it is up and well, or has done what it was there for."""
        if self.state == "running":
            return self.health in ("", "healthy")
        return self.has_ended and self.exit_code == 0

    @property
    def has_ended(self) -> bool:
        return self.state in ("exited", "dead")

    @property
    def has_failed(self) -> bool:
        """Whether waiting for it is in vain: it did what it was there for, and could not."""
        return self.has_ended and self.exit_code != 0

    @property
    def state_text(self) -> str:
        if self.has_ended:
            return "done" if self.exit_code == 0 else f"failed ({self.exit_code})"
        return self.health or self.state


def read_containers(lines: str) -> list[Container]:
    """What `docker compose ps --format json` says: an object a line, before Compose 2.21 one list."""
    documents = [json.loads(line) for line in lines.splitlines() if line.strip()]
    found = [
        one for document in documents for one in (document if isinstance(document, list) else [document])
    ]
    return [
        Container(
            one["ID"],
            one["Name"],
            one["Service"],
            one["State"],
            one.get("Health", ""),
            one.get("ExitCode", 0),
        )
        for one in found
    ]


@dataclass(frozen=True)
class Compose:
    """The project of one home: its containers, volumes and networks bear its name."""

    settings: Settings
    profiles: Sequence[str] = ALL_PROFILES
    development: bool = False

    @property
    def project(self) -> str:
        """`goldworks`, or with a home elsewhere a name of its own."""
        home = self.settings.home
        if home == ROOT / "var":
            return "goldworks"
        return f"goldworks-{hashlib.sha256(str(home).encode()).hexdigest()[:8]}"

    def argv(self, *arguments: str) -> list[str]:
        files = [
            FILE,
            *([DEVELOPMENT] if self.development else []),
            *([OVERRIDE] if OVERRIDE.exists() else []),
        ]
        named = [word for file in files for word in ("--file", str(file))]
        chosen = [word for profile in self.profiles for word in ("--profile", profile)]
        place = ["--project-directory", str(ROOT), "--project-name", self.project]
        # Compose would expand what looks like a variable in .env, a password with a $ say, and refuse some.
        no_file = ["--env-file", os.devnull]
        return ["docker", "compose", *place, *no_file, *named, *chosen, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """Our settings and Compose's own, which win over what this shell exports of them."""
        chosen = {
            name: value
            for name, value in self.settings.values.items()
            if name.startswith(("GOLDWORKS_", "COMPOSE_"))
        }
        return {**os.environ, **chosen, "GOLDWORKS_HOME": str(self.settings.home)}

    def ask(self, *arguments: str) -> str:
        """What a command prints; its failure with what it complained of."""
        done = subprocess.run(
            self.argv(*arguments),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            tail = "\n".join(f"  {line}" for line in (done.stderr or done.stdout).strip().splitlines()[-15:])
            raise Fault(f"docker compose {arguments[0]} failed ({done.returncode})\n{tail}")
        return done.stdout

    def run(self, *arguments: str) -> int:
        """A command with this terminal as its own."""
        return subprocess.run(self.argv(*arguments), env=self.environment, check=False).returncode

    def execute(self, service: str, *command: str, options: Sequence[str] = ()) -> int:
        """A command in a running container of a service, at this terminal if there is one."""
        terminal = [] if sys.stdin.isatty() and sys.stdout.isatty() else ["--no-TTY"]
        return self.run("exec", *terminal, *options, service, *command)

    def psql(self, *arguments: str) -> int:
        """psql on the chosen warehouse as administrator, inside: nothing but Docker is needed here."""
        settings, database = self.settings, self.settings.warehouse.database
        if settings.runs_own_postgres:
            return self.execute(
                "postgres", "psql", "--username", settings.postgres_admin, database, *arguments
            )
        once = ["run", "--rm", "--no-deps", "--quiet-pull", "--entrypoint", "bash"]
        login = f"--host={settings.values['GOLDWORKS_PG_HOST']} --port={settings.port('GOLDWORKS_PG_PORT')}"
        words = ["/opt/goldworks/with_secrets", "psql", *login.split(), "--username", settings.postgres_admin]
        return self.run(*once, "postgres-init", *words, database, *arguments)

    def containers(self) -> list[Container]:
        """All of the project, running or not."""
        for attempt in range(5):
            try:
                return read_containers(self.ask("ps", "--all", "--format", "json"))
            except Fault as fault:
                # one that was replaced between two of its questions
                if "No such container" not in str(fault) or attempt == 4:
                    raise
        return []

    def is_up(self) -> bool:
        """Whether anything of the project runs; False where there is no Docker to ask."""
        try:
            return bool(shutil.which("docker")) and any(one.state == "running" for one in self.containers())
        except Fault:
            return False

    def restart(self, service: str | None = None) -> int:
        """All that runs, or a service; what did its work once is not done again."""
        running = sorted({one.service for one in self.containers() if one.state == "running"})
        return self.run("restart", *([service] if service else running))

    def remove(self) -> None:
        """Containers, networks and volumes, if there are any."""
        if shutil.which("docker"):
            with suppress(Fault):  # no engine runs: then nothing of ours does
                self.ask("down", "--volumes", "--remove-orphans")

    def remove_unwanted(self) -> None:
        """What runs of profiles that are no longer chosen, the workers say: Compose itself would leave it."""
        wanted = set(self.ask("config", "--services").split())
        if unwanted := sorted({one.service for one in self.containers()} - wanted):
            everything = replace(self, profiles=ALL_PROFILES, development=True)
            everything.ask("rm", "--stop", "--force", *unwanted)

    def images(self) -> list[str]:
        """The images of our own, by name."""
        return sorted({name for name in self.ask("config", "--images").split() if self.prefix in name})

    @property
    def prefix(self) -> str:
        """What our images' names begin with: `goldworks`, or where a registry of one's own keeps them."""
        return self.settings.values.get("GOLDWORKS_IMAGES") or "goldworks"

    def prepare_images(self) -> None:
        """Built here, or fetched where the settings name a registry that has them."""
        if self.prefix == "goldworks":
            self.build()
        else:
            self.ask("pull", "--quiet")

    def build(self) -> None:
        """The images, as docker tells of it on a terminal; elsewhere into a log that a failure shows the end of."""
        if is_terminal():
            if self.run("build") != 0:
                raise Fault("docker compose build failed\n  its last words stand above")
            return
        log = self.settings.log("build")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            done = subprocess.run(
                self.argv("--progress", "plain", "build"),
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False,
            )  # fmt: skip
        if done.returncode != 0:
            tail = "\n".join(f"  {line}" for line in last_lines(log, 20))
            raise Fault(f"docker compose build failed; the end of {log}:\n{tail}")

    def one_shots(self) -> frozenset[str]:
        """The services that do their work and end: not that they run is waited for, but that they could."""
        services = json.loads(self.ask("config", "--format", "json"))["services"]
        return frozenset(name for name, service in services.items() if service.get("restart") == "no")

    def start(self, note: Callable[[str], None], patience: float = 600) -> None:
        """All wanted containers well or done, each told as it gets there; `note` hears whom one waits for."""
        began = time.monotonic()
        deadline = began + patience
        once = self.one_shots()

        def is_well(one: Container) -> bool:
            return one.is_ready and not (one.state == "running" and one.service in once)

        # What is well from before may be about to be replaced: it is told when Compose has done what it wants to do.
        reported = before = {one.id for one in self.containers() if is_well(one)}
        with self._coming_up() as coming:
            while True:
                code = coming.poll()
                found = self.containers()
                for one in found:
                    if is_well(one) and one.id not in reported:
                        reported = reported | {one.id}
                        took = seconds(time.monotonic() - began)
                        say(f"  {accent(f'{one.state_text:<9}', 'green')}  {one.name:<40}  {took:>9}")
                waiting = [one for one in found if not is_well(one)]
                note(f"waiting for {', '.join(sorted({one.service for one in waiting}))}" if waiting else "")
                if code == 0 and not waiting:
                    if kept := len(before & {one.id for one in found}):
                        say(f"  {kept} were well already, or are again")
                    return
                if code is not None and (code != 0 or any(one.has_failed for one in waiting)):
                    raise Fault(self._explain(code, waiting))
                if time.monotonic() > deadline:
                    raise Fault(self._explain(code, waiting))
                time.sleep(1)

    @contextmanager
    def _coming_up(self) -> Iterator[subprocess.Popen[bytes]]:
        """`docker compose up` at work, its words in a log."""
        log = self.settings.log("compose")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                self.argv("--progress", "plain", "up", "--detach", "--no-build", "--remove-orphans"),
                env=self.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                yield process
            finally:
                process.terminate()
                process.wait()

    def _explain(self, code: int | None, waiting: Sequence[Container]) -> str:
        """Which containers are not well, and the end of what they and their health checks said."""
        ill = [one for one in waiting if one.has_failed or one.health] or waiting
        parts = []
        if not ill:
            log = self.settings.log("compose")
            parts = [f"docker compose up failed ({code}); the end of {log}:", *last_lines(log, 8)]
        for one in ill[:3]:
            parts.append(f"{one.name} is {one.state_text}; the end of its log:")
            said = self.ask("logs", "--no-color", "--no-log-prefix", "--tail", "15", one.service)
            checked = _ask_docker("inspect", "--format", _LAST_CHECK, one.id)
            parts += [f"    {line}" for line in [*said.splitlines()[-15:], *checked.splitlines()[-1:]]]
        return "\n".join([*parts, "  all of it: make logs S=SERVICE"])


_LAST_CHECK = "{{with .State.Health}}{{range .Log}}{{.Output}}{{end}}{{end}}"


def _ask_docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False).stdout


def check_engine() -> None:
    """A Docker engine that answers, with Compose v2."""
    if not shutil.which("docker"):
        raise Fault(
            "Docker is not installed\n"
            "  install Docker Engine with the Compose plugin, or run without it: make demo"
        )
    version = subprocess.run(["docker", "compose", "version", "--short"], capture_output=True, text=True)
    parts = version.stdout.strip().lstrip("v").split(".")
    if version.returncode != 0 or not parts[0].isdigit():
        raise Fault("docker has no `compose`\n  install the Compose plugin (docker-compose-plugin)")
    if tuple(map(int, parts[:2])) < LEAST_VERSION:
        least = ".".join(map(str, LEAST_VERSION))
        raise Fault(
            f"Docker Compose is {version.stdout.strip()}, {least} or newer is needed\n  upgrade the plugin"
        )
    engine = subprocess.run(
        ["docker", "version", "--format", "{{.Server.Version}}"], capture_output=True, text=True
    )
    if engine.returncode != 0:
        raise Fault(
            f"the Docker engine does not answer: {engine.stderr.strip().splitlines()[-1]}\n"
            "  is it started (systemctl start docker), and may you use it (group docker)?"
        )
