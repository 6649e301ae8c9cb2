import json
from typing import Any

import pytest
from goldworks_dags.results import push_rows_written, rows_written


def result(unique_id: str, **response: Any) -> dict[str, Any]:
    return {"unique_id": unique_id, "adapter_response": response}


def test_rows_are_told_by_model_and_only_where_the_adapter_counts_them() -> None:
    results = {
        "results": [
            result("model.goldworks.dim_bank_account", rows_affected=9),
            result("model.goldworks.stg_bank_transactions", _message="CREATE VIEW", rows_affected=-1),
            result("model.goldworks.fct_bank_movement"),
            result("test.goldworks.not_null_x.1a2b", rows_affected=1),
        ]
    }
    assert rows_written(results) == {"dim_bank_account": 9}


def test_a_build_tells_its_event_with_counts_alone(tmp_path, caplog: pytest.LogCaptureFixture) -> None:
    nodes = [
        {**result("model.goldworks.dim", rows_affected=9), "status": "success"},
        {**result("test.goldworks.unique_dim"), "status": "fail", "message": "Got 1 result: zanzibar"},
        {**result("unit_test.goldworks.dim.names"), "status": "pass"},
        {**result("test.goldworks.odd"), "status": "warn"},
    ]
    (tmp_path / "target").mkdir()
    (tmp_path / "target/run_results.json").write_text(json.dumps({"results": nodes, "elapsed_time": 2.5}))

    class Instance:
        dag_id = "bank"
        pushed: tuple[str, Any]

        def xcom_push(self, key: str, value: Any) -> None:
            self.pushed = (key, value)

    instance = Instance()
    push_rows_written(str(tmp_path), {"ti": instance})
    assert instance.pushed == ("rows_written", {"dim": 9})
    line = json.loads(caplog.records[-1].message)
    told = {name: line[name] for name in line if name not in ("at", "run")}
    assert told == {
        "step": "transform", "outcome": "failed", "domain": "bank", "models": 1, "tests": 3, "failures": 1,
        "warnings": 1, "rows_written": 9, "seconds": 2.5,
    }  # fmt: skip
