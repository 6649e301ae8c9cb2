from typing import Any

from goldworks_dags.results import rows_written


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
