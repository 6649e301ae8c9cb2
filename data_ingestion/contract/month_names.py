"""Month names: how a contract says that the months of its files are called in another language."""

from __future__ import annotations

from data_ingestion.contract.document import Document, inside
from data_ingestion.contract.settings import Given
from data_ingestion.contract.standard import described

ANCHOR = "month-names"
MONTHS = 12
# Between spellings of one month.
OR = "|"
NAMED = ("%b", "%B")


def read_month_names(document: Document, given: Given | None) -> tuple[str, ...]:
    """The setting `monthNames`; empty where months are called as in English."""
    if given is None or not isinstance(given.value, list):
        return ()
    names = tuple(map(str, given.value))
    if len(names) != MONTHS:
        fault = f"{len(names)} names for {MONTHS} months"
        document.add(given.place, fault, "write one for each month, several spellings as 'Mär|Mrz'", ANCHOR)
        return ()
    month_of: dict[str, int] = {}
    for index, name in enumerate(names):
        for spelling in name.split(OR):
            place = inside(given.place, index)
            if not any(sign.isalpha() for sign in spelling) or spelling != spelling.strip():
                remedy = "write it with letters, without blanks around it"
                document.add(place, f"{described(spelling)} is not a month's name", remedy, ANCHOR)
            elif (other := month_of.setdefault(plain(spelling), index)) != index:
                fault = f"'{spelling}' is also the name of month {other + 1}"
                document.add(place, fault, "give a name to one month", ANCHOR)
    return names


def check_month_names(document: Document, given: Given | None, formats: tuple[str, ...]) -> None:
    """Adds a fault for a column's own month names where none of its forms has a month by its name."""
    if given and not any(name in form for form in formats for name in NAMED):
        remedy = "write %b or %B where the name stands, or leave it out"
        document.add(given.place, "no form of the column has a month by its name", remedy, ANCHOR)


def plain(spelling: str) -> str:
    """A spelling as it is compared: in any case, with a full stop at its end or without."""
    return spelling.casefold().removesuffix(".")
