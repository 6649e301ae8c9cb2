"""Engine: a warehouse as the conformance suite uses it, and the fuse by which its session breaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from data_ingestion.warehouses.base import Warehouse
from data_ingestion.warehouses.postgres.merge_plan import PlanLimits

NEVER = 1 << 60
TABLES = (
    "held", "findings", "quarantine", "conflicts", "objects", "loads", "drops", "builds", "datasets", "faults",
)  # fmt: skip


class Engine:
    """A warehouse that outlives a history, can be emptied in milliseconds, and broken at will."""

    name: str
    warehouse: Warehouse
    breaks_with: tuple[type[Exception], ...]
    refusal = "DivisionByZero"
    """What the error of a statement says that a test has had refused."""
    can_rebuild = True

    def empty(self) -> None:
        """Forgets everything but the tables."""
        for table in TABLES:
            self.warehouse.session.run(f"delete from ops.{table}")

    def prefer(self, limits: PlanLimits) -> None:
        """Has drops take the ways that these limits lead to."""

    def break_after(self, statements: int, act: Callable[[], object], *, refuse: bool) -> None:
        """Acts with a session that ends after so many statements, or of which the next one is refused."""
        raise NotImplementedError

    def close(self) -> None:
        self.warehouse.close()


class Fuse:
    """Counts statements down, then breaks once."""

    left: ClassVar[int] = 0
    breaks: ClassVar[Callable[[Any], None] | None] = None

    @classmethod
    def light(cls, statements: int, breaks: Callable[[Any], None]) -> None:
        cls.left, cls.breaks = statements, staticmethod(breaks)  # type: ignore[assignment]

    @classmethod
    def put_out(cls) -> None:
        """Takes a fuse away that has not burnt down."""
        cls.breaks = None

    @classmethod
    def burn(cls, burning: Any) -> None:
        """One statement less."""
        if cls.breaks is None:
            return
        if cls.left:
            cls.left -= 1
            return
        breaks, cls.breaks = cls.breaks, None
        breaks(burning)
