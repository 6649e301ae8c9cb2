"""Without: `goldworks` with one of Postgres' accelerators taken away: `python -m bench.without ACCELERATOR load …`."""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from data_ingestion.__main__ import main
from data_ingestion.warehouses.postgres import session
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits

NEVER = 1 << 60


def _limits(**limits: Any) -> Callable[[], None]:
    return lambda: setattr(session, "PlanLimits", partial(PlanLimits, **limits))


TAKEN_AWAY: dict[str, Callable[[], None]] = {
    "direct-copy": _limits(copy_bytes=NEVER),
    "parallel-copy": _limits(large_bytes=NEVER),
    "difference-plan": _limits(known_share=2.0),
    "merge-plan": _limits(known_share=-1.0, least_of_raw=0.0),
}


if __name__ == "__main__":
    TAKEN_AWAY[sys.argv.pop(1)]()
    main()
