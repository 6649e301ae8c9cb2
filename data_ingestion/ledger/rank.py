"""Rank: which of two drops is the newer, and so whose row a key has. The one place that spells this order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, order=True)
class Rank:
    """Which of two drops is the newer: by period, then delivery time, then object key."""

    period: str
    delivered_at: datetime
    object_key: str

    @property
    def text(self) -> str:
        """The same order as a text, compared by its bytes: what statements compare, and no other spelling of it.

        A blank comes before every character of a period, so that one without a period comes first.
        """
        return f"{self.period} {self.delivered_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f} {self.object_key}"

    @classmethod
    def of(cls, text: str) -> Rank:
        """The rank whose text it is."""
        period, moment, object_key = text.split(" ", 2)
        return cls(period, datetime.fromisoformat(moment).replace(tzinfo=UTC), object_key)
