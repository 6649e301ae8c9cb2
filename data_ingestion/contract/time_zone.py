"""Time zone: where times that carry no offset were written, and what the hour means that comes twice a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data_ingestion.contract.document import Document
from data_ingestion.contract.faults import choices
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described
from data_ingestion.contract.terms import LogicalType

ANCHOR = "time-zone"
HOURS = ("first", "second", "refuse")
# Of a column whose times are local, where it names none.
LOCAL_FORMATS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True)
class LocalTime:
    """A zone by its IANA name ('' for UTC), and which of the two a time is that comes twice."""

    zone: str = ""
    repeated_hour: str = ""


def read_local_time(document: Document, settings: Mapping[str, Given]) -> LocalTime | None:
    """The settings `timeZone` and `repeatedHour`; None where no zone is named."""
    zone, hour = settings.get("timeZone"), settings.get("repeatedHour")
    if hour and hour.value not in HOURS:
        document.add(
            hour.place, f"{described(hour.value)} is not a choice", choices(hour.value, HOURS), ANCHOR
        )
    if zone is None:
        if hour:
            document.add(hour.place, "is for a time zone, and none is named", "add 'timeZone'", ANCHOR)
        return None
    import zoneinfo  # slow to import, and few contracts name a zone

    if not _is_known(str(zone.value)):
        known = zoneinfo.available_timezones()
        remedy = choices(zone.value, known, "write its IANA name, such as Europe/Berlin")
        if not known:
            remedy = (
                "this machine knows no time zones: install the package tzdata, by pip or by its own installer"
            )
        document.add(zone.place, f"{described(zone.value)} is not a time zone", remedy, ANCHOR)
        return None
    return LocalTime(str(zone.value), str(hour.value) if hour else "")


def check_local_time(document: Document, settings: Mapping[str, Given], type_: LogicalType) -> None:
    """Adds a fault for a time zone on a column that is not a timestamp."""
    if "timeZone" in settings and type_ is not LogicalType.TIMESTAMP:
        fault, remedy = f"a {type_} has no time zone", "leave it out, or make the column a timestamp"
        document.add(settings["timeZone"].place, fault, remedy, ANCHOR)


def _is_known(name: str) -> bool:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not found, not a name, a folder
        return False
    return True
