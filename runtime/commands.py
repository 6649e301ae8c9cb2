"""Commands: the front door behind the Makefile, one function a target."""

import argparse
import os
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from runtime import Fault, airflow, containers
from runtime.compose import Compose, check_engine
from runtime.demo import demo, run_tool, start_platform
from runtime.environments import ENVIRONMENTS, PLATFORM, ensure_environments
from runtime.locks import check_locks, write_locks
from runtime.onboard import onboard
from runtime.preflight import check_disk, explain
from runtime.runs import run_to_the_end
from runtime.services import last_lines
from runtime.settings import PAGES_PORT, ROOT, home_directory, load_settings
from runtime.stack import Stack, shell_environment, tool_environment
from runtime.terminal import accent, complain, is_terminal, say, table
from runtime.up import up


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a Fault is told in its own words, without a traceback."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options) or 0)
    except Fault as fault:
        return _fail(fault)
    except OSError as error:
        message = explain(error, home_directory(options.home))
        if message is None:
            raise
        return _fail(message)
    except KeyboardInterrupt:
        complain(
            "\ninterrupted; what was finished stays, the next run goes on from there"
            "\n  servers that are up stay up until `make stop`"
        )
        return 130


def _fail(fault: Fault) -> int:
    complain(f"{accent('goldworks', 'red')}: {fault}")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m runtime", description="Goldworks on this machine, with Docker and without."
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--home", type=Path, help="where everything is kept (GOLDWORKS_HOME, else var/)")
    shared.add_argument("--free-ports", action="store_true", help="new settings get unused ports")
    commands = parser.add_subparsers(required=True, metavar="command")

    def command(name: str, run: object, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[shared], help=text, description=text)
        added.set_defaults(run=run)
        return added

    command("demo", _demo, "everything: servers, samples, DAGs, dashboards")
    command("start", _start, "the servers, with samples and dashboards, but no DAG run")
    command("stop", _stop, "stop every server; data stays")
    upward = command("up", _up, "everything in containers")
    upward.add_argument(
        "--profile", choices=[containers.DISTRIBUTED], help="CeleryExecutor and three workers"
    )
    upward.add_argument("--dev", action="store_true", help="the working copy lies over what the images hold")
    command("build", _build, "the images")
    command("down", _down, "stop and remove the containers; data stays in their volumes").add_argument(
        "--volumes", action="store_true", help="delete the data as well"
    )
    command("restart", _restart, "restart all containers, or those of one service").add_argument(
        "service", nargs="?"
    )
    command("ps", _ps, "the containers and their health")
    command("shell", _shell, "a shell in a container, with goldworks, airflow and dbt").add_argument(
        "service", nargs="?", default="airflow-scheduler"
    )
    onboarding = command(
        "onboard", _onboard, "a new dataset, from its files to a dashboard, by a few questions"
    )
    onboarding.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files of one dataset")
    onboarding.add_argument("--domain", help="of which the dataset is")
    onboarding.add_argument("--dataset", help="what it is called")
    onboarding.add_argument("--yes", action="store_true", help="take every default, ask nothing")
    traffic = command("traffic", _traffic, "the shop takes orders, for so many minutes of its life")
    traffic.add_argument("minutes", nargs="?", type=int, default=60)
    traffic.add_argument("--seed", type=int, help="another seed, other orders")
    command("pages", _pages, "reports and profiles for a browser on this machine, until Ctrl-C")
    command("trigger", _trigger, "run a DAG to its end, and report each task").add_argument("dag")
    command("status", _status, "which servers run, and where")
    command("env", _env, 'shell exports for: eval "$(make -s env)"')
    command("psql", _psql, "the warehouse in psql").add_argument("rest", nargs=argparse.REMAINDER)
    command("logs", _logs, "the logs of all servers, or of one as it grows").add_argument(
        "service", nargs="?"
    )
    command("clean", _clean, "stop, and delete data, environments and settings").add_argument(
        "--yes", action="store_true"
    )
    setup = command("setup", _setup, "make the Python environments")
    setup.add_argument(
        "names", nargs="*", default=list(PLATFORM), metavar="NAME", help=", ".join(ENVIRONMENTS)
    )
    command("dbt", _dbt, "dbt with the platform's settings").add_argument("rest", nargs=argparse.REMAINDER)
    command("in", _in, "a program of an environment: in dev pytest …").add_argument(
        "rest", nargs=argparse.REMAINDER
    )
    command("lint", _lint, "code, SQL, workflows, wording; whether contracts, models and charts fit")
    command("lock", _lock, "resolve all environments again and write their requirement files")
    command("lock-check", _lock_check, "whether the requirement files are what the locks say")
    return parser


def _demo(options: argparse.Namespace) -> None:
    demo(load_settings(options.home, free_ports=options.free_ports))


def _onboard(options: argparse.Namespace) -> None:
    onboard(load_settings(options.home, free_ports=options.free_ports), options)


def _start(options: argparse.Namespace) -> None:
    settings = load_settings(options.home, free_ports=options.free_ports)
    ensure_environments(settings.home)
    start_platform(Stack.of(settings))


def _up(options: argparse.Namespace) -> None:
    settings = load_settings(options.home, free_ports=options.free_ports)
    up(settings, distributed=options.profile == containers.DISTRIBUTED, development=options.dev)


def _build(options: argparse.Namespace) -> None:
    """The images, and before the first `make up` what is mounted into them: Compose's own commands ask for it."""
    check_engine()
    settings = load_settings(options.home, free_ports=options.free_ports)
    if not containers.are_written(settings):
        containers.write(settings, distributed=False)
    compose = Compose(settings)
    compose.build()
    say(f"built {', '.join(compose.images())}")


def _down(options: argparse.Namespace) -> int:
    check_engine()
    compose = _compose(options)
    return compose.run("down", "--remove-orphans", *(["--volumes"] if options.volumes else []))


def _restart(options: argparse.Namespace) -> int:
    return _running_compose(options).restart(options.service)


def _ps(options: argparse.Namespace) -> int:
    check_engine()
    return _compose(options).run("ps", "--all")


def _shell(options: argparse.Namespace) -> int:
    """dbt writes beside its project unless told where; a container's is read-only."""
    places = {"DBT_TARGET_PATH": "/tmp/dbt/target", "DBT_LOG_PATH": "/tmp/dbt/logs"}  # noqa: S108
    given = [word for name, place in places.items() for word in ("--env", f"{name}={place}")]
    # the images of others have no with_secrets
    shell = "if command -v with_secrets >/dev/null; then exec with_secrets bash; else exec bash; fi"
    return _running_compose(options).execute(options.service, "bash", "-c", shell, options=given)


def _traffic(options: argparse.Namespace) -> int:
    words = ["goldworks", "traffic", "--minutes", str(options.minutes)]
    if options.seed is not None:
        words += ["--seed", str(options.seed)]
    if (compose := _compose(options)).is_up():
        return compose.run("run", "--rm", "--no-deps", "--quiet-pull", "traffic", *words)
    stack = _stack(options)
    if stack.cluster.pid is None:
        raise Fault("Postgres is not running\n  `make demo` or `make up` starts it")
    say(run_tool(stack, words).rstrip())
    return 0


def _pages(options: argparse.Namespace) -> int:
    """In a container too it is reached at 127.0.0.1 alone: only there is its port published."""
    settings = load_settings(options.home, free_ports=options.free_ports)
    port = str(settings.port(PAGES_PORT))
    words = ["goldworks", "pages", "--port", port]
    if (compose := _compose(options)).is_up():
        published = ["--publish", f"127.0.0.1:{port}:{port}"]
        return compose.run(
            "run",
            "--rm",
            "--no-deps",
            "--quiet-pull",
            *published,
            "traffic",
            *words,
            "--host",
            "0.0.0.0",  # noqa: S104
        )
    ensure_environments(settings.home, ["runtime"])
    program = str(settings.home / "bin" / words[0])
    with suppress(KeyboardInterrupt):
        environment = tool_environment(_stack(options))
        return subprocess.run([program, *words[1:]], env=environment, check=False).returncode
    return 0


def _trigger(options: argparse.Namespace) -> None:
    api = airflow.Api(load_settings(options.home, free_ports=options.free_ports))
    if options.dag not in (known := api.dags()):
        raise Fault(f"no DAG '{options.dag}'\n  there are: {', '.join(sorted(known)) or 'none yet'}")
    run_to_the_end(api, [options.dag], join=False)


def _stop(options: argparse.Namespace) -> None:
    stopped = _stack(options).stop()
    say(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


def _status(options: argparse.Namespace) -> int:
    rows = _stack(options).status()
    say(table(("service", "state", "process", "address"), rows))
    count = sum(state == "up" for _, state, _, _ in rows)
    say(f"\nwithout Docker: {'up' if count == len(rows) else 'down' if count == 0 else 'partly up'}")
    in_docker = _compose(options).is_up()
    say(f"in containers: {'up, `make ps` lists them' if in_docker else 'down'}")
    return 0


def _env(options: argparse.Namespace) -> None:
    stack = _stack(options)
    in_docker = _compose(options).is_up()
    for name, value in sorted(shell_environment(stack).items()):
        if not (
            in_docker and name == "AWS_ENDPOINT_URL" and stack.settings.runs_own_s3
        ):  # theirs has no port here
            print(f"export {name}={shlex.quote(value)}")
    # Who runs containers alone has no environments here; `make shell` is inside of them.
    if not in_docker or stack.settings.venv("runtime").exists():
        print(f'export PATH={shlex.quote(str(stack.link_programs()))}:"$PATH"')


def _psql(options: argparse.Namespace) -> int:
    if (compose := _compose(options)).is_up():
        return compose.psql(*options.rest)
    stack = _stack(options)
    if stack.cluster.pid is None:
        raise Fault("Postgres is not running\n  `make demo` or `make up` starts it")
    program = stack.cluster.binaries / "psql"
    connection = stack.cluster.connection(stack.settings.warehouse.database)
    return subprocess.run([program, *options.rest], env={**os.environ, **connection}, check=False).returncode


def _logs(options: argparse.Namespace) -> int:
    if (compose := _compose(options)).is_up():
        chosen = ["--follow", "--tail", "100", options.service] if options.service else ["--tail", "10"]
        return compose.run("logs", *chosen)
    directory = _stack(options).settings.home / "logs"
    known = sorted(file.stem for file in directory.glob("*.log"))
    if not known:
        raise Fault(f"{directory}: no logs yet\n  `make demo` starts the servers")
    if not options.service:
        for name in known:
            say(accent(f"── {name}  {directory / name}.log"))
            say("\n".join(last_lines(directory / f"{name}.log", 10)))
        return 0
    if options.service not in known:
        raise Fault(f"no service '{options.service}'\n  there are: {', '.join(known)}")
    file = directory / f"{options.service}.log"
    say("\n".join(last_lines(file, 100)))
    if is_terminal():
        with suppress(KeyboardInterrupt):  # how one leaves it
            _follow(file)
    return 0


def _follow(file: Path) -> None:
    with file.open(errors="replace") as handle:
        handle.seek(0, os.SEEK_END)
        while True:
            sys.stdout.write(handle.read())
            sys.stdout.flush()
            time.sleep(0.3)


def _clean(options: argparse.Namespace) -> None:
    stack = _stack(options)
    folder, file = stack.settings.home, stack.settings.file
    place = f"{folder} (data, environments, logs), {file}, and containers with their volumes"
    if not options.yes:
        if not sys.stdin.isatty():
            raise Fault(f"this would delete {place}\n  say so: make clean YES=1")
        if input(f"Delete {place}? [y/N] ").strip().lower() not in ("y", "yes"):
            say("nothing deleted")
            return
    _compose(options).remove()
    stack.remove()
    say(f"deleted {place}")


def _setup(options: argparse.Namespace) -> None:
    unknown = [name for name in options.names if name not in ENVIRONMENTS]
    if unknown:
        raise Fault(f"no environment '{unknown[0]}'\n  there are: {', '.join(ENVIRONMENTS)}")
    settings = load_settings(options.home, free_ports=options.free_ports)
    if "superset" in options.names and not settings.venv("superset").exists():
        check_disk(settings.home, first_run=True)
    ensure_environments(settings.home, options.names)


def _dbt(options: argparse.Namespace) -> int:
    stack = _stack(options)
    if stack.cluster.pid is None and not _compose(options).is_up():
        raise Fault("Postgres is not running, so dbt has no warehouse\n  `make demo` or `make up` starts it")
    ensure_environments(stack.settings.home, ["dbt"])
    stack.link_programs()
    program = stack.settings.home / "bin" / "dbt"
    environment = {**os.environ, **tool_environment(stack)}
    return subprocess.run([program, *options.rest], env=environment, cwd=ROOT, check=False).returncode


def _in(options: argparse.Namespace) -> int:
    settings = load_settings(options.home, free_ports=options.free_ports)
    if len(options.rest) < 2:
        raise Fault("say which environment and which program: python3 -m runtime in dev pytest")
    name, program, *rest = options.rest
    if name not in ENVIRONMENTS:
        raise Fault(f"no environment '{name}'\n  there are: {', '.join(ENVIRONMENTS)}")
    ensure_environments(settings.home, [name])
    return subprocess.run([settings.program(name, program), *rest], cwd=ROOT, check=False).returncode


def _lint(options: argparse.Namespace) -> int:
    """Every linter runs, whatever the one before says; none needs a warehouse."""
    settings = load_settings(options.home, free_ports=options.free_ports)
    ensure_environments(settings.home, ["dev"])
    checks = (
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["sqlfluff", "lint", "dbt"],
        # without the option it looks on PATH, and checks no scripts where it finds nothing
        ["actionlint", "-shellcheck", str(settings.program("dev", "shellcheck"))],
        ["python", "-m", "runtime.wording"],
        ["python", "dbt/generate.py", "--check"],
        ["python", "superset/check_assets.py"],
    )
    failed = []
    for program, *rest in checks:
        say(accent(f"{program} {' '.join(rest)}".rstrip()))
        argv = [str(settings.program("dev", program)), *rest]
        if subprocess.run(argv, cwd=ROOT, check=False).returncode != 0:
            failed.append(program if program != "python" else " ".join(rest))
    say(f"failed: {', '.join(failed)}" if failed else "all clean")
    return 1 if failed else 0


def _lock(options: argparse.Namespace) -> None:
    write_locks(load_settings(options.home).home)


def _lock_check(options: argparse.Namespace) -> None:
    check_locks(load_settings(options.home).home)


def _compose(options: argparse.Namespace) -> Compose:
    return Compose(load_settings(options.home, free_ports=options.free_ports))


def _running_compose(options: argparse.Namespace) -> Compose:
    compose = _compose(options)
    if not compose.is_up():
        raise Fault("no containers run\n  `make up` starts them")
    return compose


def _stack(options: argparse.Namespace) -> Stack:
    return Stack.of(load_settings(options.home, free_ports=options.free_ports))
