"""Transform: the domain's dbt models as tasks. One `dbt build` does the work, a task a model watches it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from shutil import copy2
from typing import Any

from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestBehavior

from goldworks_dags.domain import Domain, dbt_project, manifest_file
from goldworks_dags.logins import dbt_login
from goldworks_dags.results import push_rows_written

GROUP = "transform"
BUILD_TASK = f"{GROUP}.dbt_producer_watcher"

# Watchers hold a worker each. Their pool has fewer slots than the executor has workers, so the build always finds one.
POOL = "dbt"
MOST_HOURS = 4


def transform(domain: Domain) -> DbtTaskGroup:
    """The models of a domain in the order in which they depend on each other, each followed by its tests."""
    project = dbt_project()
    executable = os.environ.get("DBT_EXECUTABLE") or "dbt"
    config = ProjectConfig(dbt_project_path=project, manifest_path=manifest_file(), install_dbt_deps=False)
    # Cosmos makes an ObjectStoragePath of it; opening that imports the filesystems of every provider, at each parse.
    config.manifest_path = manifest_file()
    return DbtTaskGroup(
        group_id=GROUP,
        project_config=config,
        profile_config=ProfileConfig(
            profile_name="goldworks",
            target_name=os.environ.get("DBT_TARGET") or "prod",
            profiles_yml_filepath=Path(os.environ.get("DBT_PROFILES_DIR") or project) / "profiles.yml",
        ),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=executable,
            setup_operator_args={
                "pool": "default_pool",
                "execution_timeout": timedelta(hours=MOST_HOURS),
                "callback": push_rows_written,
                "pre_execute": before_build,
            },
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=[f"path:models/{layer}/{domain.name}" for layer in domain.models],
            test_behavior=TestBehavior.AFTER_EACH,
            invocation_mode=InvocationMode.SUBPROCESS,
            dbt_executable_path=executable,
            enable_mock_profile=False,
            emit_datasets=False,  # their names hold host and port, ours are the same everywhere (assets.py)
        ),
        operator_args={
            "install_deps": False,
            "deferrable": False,  # deferred watchers lose a race in Airflow 3.3 on a busy machine
            "poke_interval": 2,
            "timeout": timedelta(hours=MOST_HOURS).total_seconds(),
            "execution_timeout": timedelta(hours=MOST_HOURS + 1),
            "pool": POOL,
            "full_refresh": "{{ params.full_refresh }}",
            # docs/decisions/0006-what-a-run-does-after-a-failure.md
            "retries": 0,
            "pre_execute": before_dbt,
        },
    )


def before_build(context: dict[str, Any]) -> None:
    """The settings that a build starts with."""
    before_dbt(context)
    hand_over_parse(context["task"].cache_dir)


def hand_over_parse(cache: Path) -> None:
    """Gives Cosmos what dbt has parsed beside the manifest, where that is newer than what its last build left.

    The first build of each domain would parse the whole project otherwise.
    """
    parsed = manifest_file().with_name("partial_parse.msgpack")
    kept = cache / "target" / parsed.name
    if parsed.exists() and not (kept.exists() and kept.stat().st_mtime >= parsed.stat().st_mtime):
        kept.parent.mkdir(parents=True, exist_ok=True)
        apart = kept.with_name(f"{kept.name}.{os.getpid()}")
        copy2(parsed, apart)
        apart.replace(kept)


def before_dbt(context: dict[str, Any]) -> None:
    """The settings that a build, and each of its watchers, starts with."""
    as_first_try(context)
    log_in_when_dbt_starts(context["task"])


def as_first_try(context: dict[str, Any]) -> None:
    """Lets a cleared build build, and its cleared watchers watch it.

    Cosmos skips the second try of a build and has each watcher run and test its model alone instead. There, a test
    that compares a rebuilt model with one that is not rebuilt yet fails for nothing.
    """
    context["ti"] = FirstTry(context["ti"])


def log_in_when_dbt_starts(operator: Any) -> None:
    """Puts dbt's login into the environment of its process, when there is to be one.

    A watcher starts dbt only when the build has said nothing of its model, so most never look the login up. It is in
    no field of the operator, and so neither among those that the web page shows nor in the metadata.
    """
    environment_of_dbt = operator.get_env
    operator.get_env = lambda context: {**environment_of_dbt(context), **dbt_login()}


class FirstTry:
    """A task instance that says of itself that it is tried for the first time."""

    try_number = 1

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)
