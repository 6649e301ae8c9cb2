"""Runs: what the terminal shows of a DAG run, and what it says of a failed one."""

from typing import Any

import pytest

from runtime import Fault
from runtime.airflow import TaskState
from runtime.runs import run_to_the_end, wait_for_dags


class Played:
    """Airflow's API as a play: each look at the run shows its next scene."""

    url = "http://airflow"

    def __init__(self, *scenes: tuple[str, list[TaskState]], active: str | None = None) -> None:
        self.scenes = list(scenes)
        self.active = active
        self.triggered = 0

    def unpause(self, dag: str) -> None:
        pass

    def active_run(self, dag: str) -> str | None:
        return self.active

    def trigger(self, dag: str) -> str:
        self.triggered += 1
        return "run-1"

    def run_state(self, dag: str, run: str) -> str:
        return self.scenes[0][0]

    def tasks(self, dag: str, run: str) -> list[TaskState]:
        return (self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0])[1]

    def log(self, dag: str, run: str, task: TaskState) -> list[str]:
        return [f"line {number}" for number in range(30)] + ["ValueError: it broke"]

    def dags(self) -> dict[str, bool]:
        return {}

    def import_errors(self) -> list[str]:
        return ["bank.py:\nSyntaxError"]


def task(name: str, state: str, index: int = -1) -> TaskState:
    return TaskState(name, state, index, 1, 1.5)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.runs.time.sleep", lambda _: None)


def test_a_faulty_contract_is_no_reason_not_to_wait_for_the_dags() -> None:
    class Parsing(Played):
        """An Airflow that has read the file of faulty contracts first."""

        def __init__(self) -> None:
            super().__init__(("running", []))
            self.looks = iter([{}, {"bank": True}])

        def dags(self) -> dict[str, bool]:
            return next(self.looks)

        def import_errors(self) -> list[str]:
            return ["dags/contract_faults.py:\nContractError: bank.odcs.yaml:3: 'strnig' is no type"]

    api: Any = Parsing()
    wait_for_dags(api, ["bank"])


def test_a_dag_is_awaited_until_it_has_its_models() -> None:
    class Rereading(Played):
        """An Airflow that has read the DAG before dbt's manifest had its models."""

        def __init__(self) -> None:
            super().__init__(("running", []))
            self.looks = [
                ["load"],
                ["load", "transform.mart_a_run"],
                ["transform.mart_a.run", "transform.mart_b_run"],
            ]

        def dags(self) -> dict[str, bool]:
            return {"bank": True}

        def task_ids(self, dag: str) -> list[str]:
            return self.looks.pop(0)

        def import_errors(self) -> list[str]:
            return []

    api: Any = Rereading()
    wait_for_dags(api, ["bank"], {"bank": {"mart_a", "mart_b"}})
    assert not api.looks


def test_each_task_is_shown_once_as_it_ends(capsys: pytest.CaptureFixture[str]) -> None:
    api: Any = Played(
        ("running", [task("discover", "success"), task("load", "running", 0)]),
        ("running", [task("discover", "success"), task("load", "success", 0)]),
        ("success", [task("discover", "success"), task("load", "success", 0), task("dbt", "skipped")]),
    )
    run_to_the_end(api, ["bank"])
    shown = capsys.readouterr().out
    assert shown.count(" bank.discover ") == 1
    assert shown.count("load[0]") == 1
    assert "dbt" not in shown
    assert "2 tasks done, 1 had nothing to do" in shown


def test_a_failed_run_names_the_task_and_the_end_of_its_log() -> None:
    api: Any = Played(("failed", [task("load", "failed", 3), task("gate", "upstream_failed")]))
    with pytest.raises(
        Fault, match=r"(?s)DAG bank failed in load\[3\].*line 29.*it broke.*/dags/bank/runs/run-1"
    ) as caught:
        run_to_the_end(api, ["bank"])
    assert "line 3\n" not in str(caught.value)


def test_all_dags_are_followed_to_their_end_though_one_fails(capsys: pytest.CaptureFixture[str]) -> None:
    plays = {
        "bank": Played(("failed", [task("load", "failed", 0)])),
        "web": Played(("running", [task("load", "running", 0)]), ("success", [task("load", "success", 0)])),
    }

    class Both(Played):
        def run_state(self, dag: str, run: str) -> str:
            return plays[dag].run_state(dag, run)

        def tasks(self, dag: str, run: str) -> list[TaskState]:
            return plays[dag].tasks(dag, run)

    api: Any = Both()
    with pytest.raises(Fault, match=r"DAG bank failed in load\[0\]"):
        run_to_the_end(api, ["bank", "web"])
    assert "web.load[0]" in capsys.readouterr().out
    assert api.triggered == 2


def test_a_run_that_is_under_way_is_joined() -> None:
    api: Any = Played(("success", []), active="run-0")
    run_to_the_end(api, ["bank"])
    assert not api.triggered


def test_a_run_asked_for_by_hand_is_a_new_one_that_waits_for_the_one_under_way(
    capsys: pytest.CaptureFixture[str],
) -> None:
    api: Any = Played(("success", []), active="scheduled__0")
    run_to_the_end(api, ["bank"], join=False)
    assert api.triggered == 1
    assert "waits for scheduled__0 to end" in capsys.readouterr().out


def test_a_dag_that_cannot_be_imported_is_told_at_once() -> None:
    api: Any = Played(("running", []))
    with pytest.raises(Fault, match=r"(?s)cannot import.*SyntaxError"):
        wait_for_dags(api, ["bank"])
