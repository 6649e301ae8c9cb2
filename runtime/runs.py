"""Runs: a DAG triggered and followed to its end on the terminal."""

import time
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from runtime import Fault
from runtime.airflow import Api, TaskState
from runtime.terminal import accent, say, seconds, step

FINISHED = {"success", "failed", "skipped", "upstream_failed", "removed"}
FAILED = {"failed", "upstream_failed"}
CONTRACT_FAULTS = "contract_faults.py"


def wait_for_dags(
    api: Api,
    names: list[str],
    models: Mapping[str, Collection[str]] = MappingProxyType({}),
    patience: float = 120,
) -> None:
    """Return when Airflow knows every DAG, with these models; a file that it cannot import is a fault at once.

    A DAG that was read before its models were added would end without them. The file that shows faulty contracts makes
    no DAG, so its error keeps none away.
    """
    deadline = time.monotonic() + patience
    while missing := [name for name in names if not _is_read(api, name, models.get(name, ()))]:
        errors = [text for text in api.import_errors() if CONTRACT_FAULTS not in text.splitlines()[0]]
        if errors:
            raise Fault("Airflow cannot import its DAGs:\n" + "\n".join(errors))
        if time.monotonic() > deadline:
            raise Fault(
                f"Airflow does not know the DAG {', '.join(missing)} after {patience:.0f} s\n"
                "  `make logs S=airflow-dags` says what it reads"
            )
        time.sleep(0.5)


def _is_read(api: Api, dag: str, models: Collection[str]) -> bool:
    if dag not in api.dags():
        return False
    built = (
        [task.split(".")[1].removesuffix("_run") for task in api.task_ids(dag) if "." in task]
        if models
        else []
    )
    return set(models) <= set(built)


def run_to_the_end(api: Api, dags: list[str], *, join: bool = True, patience: float = 1800) -> None:
    """Start a run of each DAG, all at once, and show each task as it ends.

    A run under way is joined. Without `join` a new one waits for it: it may have looked before something changed.
    All are followed to their end, then a failed one is a Fault.
    """
    following = {dag: _follow(api, dag, join, patience) for dag in dags}
    faults: list[Fault] = []
    while following:
        for dag, steps in list(following.items()):
            try:
                next(steps)
            except StopIteration:
                del following[dag]
            except Fault as fault:
                faults.append(fault)
                del following[dag]
        time.sleep(1)
    if faults:
        raise Fault("\n".join(str(fault) for fault in faults))


def _follow(api: Api, dag: str, join: bool, patience: float) -> Iterator[None]:
    """One look at a run a step, until it has ended."""
    api.unpause(dag)
    active = api.active_run(dag)
    run = active if active and join else api.trigger(dag)
    shown: set[tuple[str, int]] = set()
    deadline = time.monotonic() + patience
    first = f"waits for {active} to end" if active and not join else "the first task is about to start"
    with step(f"dag {dag}", first) as report:
        while True:
            state = api.run_state(dag, run)
            tasks = api.tasks(dag, run)
            _show(dag, tasks, shown)
            report.note = _progress(tasks)
            if state in ("success", "failed"):
                break
            if time.monotonic() > deadline:
                raise Fault(
                    f"DAG {dag}: run {run} is still {state} after {patience / 60:.0f} min\n  see {api.url}"
                )
            yield
        if state == "failed":
            raise Fault(_explain(api, dag, run, tasks))
        done = sum(task.state == "success" for task in tasks)
        skipped = sum(task.state == "skipped" for task in tasks)
        report.note = f"{done} tasks done" + (f", {skipped} had nothing to do" if skipped else "")


def _show(dag: str, tasks: list[TaskState], shown: set[tuple[str, int]]) -> None:
    colours = {"success": "green", "failed": "red", "upstream_failed": "red", "skipped": "dim"}
    for task in sorted(tasks, key=lambda task: (task.task_id, task.map_index)):
        key = (task.task_id, task.map_index)
        if task.state in FINISHED and key not in shown:
            shown.add(key)
            if task.state == "skipped":
                continue  # counted at the end
            took = seconds(task.duration) if task.duration else ""
            state, name = accent(f"{task.state:<15}", colours.get(task.state, "dim")), f"{dag}.{task.label}"
            say(f"  {state}  {name:<66}  {took:>9}")


def _progress(tasks: list[TaskState]) -> str:
    ended = sum(task.state in FINISHED for task in tasks)
    running = [task.label for task in tasks if task.state == "running"]
    return f"{ended} of {len(tasks)} tasks" + (f": {', '.join(running[:2])}" if running else "")


def _explain(api: Api, dag: str, run: str, tasks: list[TaskState]) -> str:
    """Which tasks failed, and the end of what they said."""
    failed = [task for task in tasks if task.state == "failed"]
    parts = [f"DAG {dag} failed in {', '.join(task.label for task in failed) or 'no task of its own'}"]
    for task in failed[:3]:
        parts.append(f"  {task.label}, the end of its log:")
        parts += [f"    {line}" for line in api.log(dag, run, task)[-20:]]
    parts.append(f"  all of it: {api.url}/dags/{dag}/runs/{run}")
    return "\n".join(parts)
