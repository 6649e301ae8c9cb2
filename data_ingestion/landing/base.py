"""Base: what any landing must be able to do, and the objects that lie there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import BinaryIO, Protocol

from data_ingestion.errors import OperatorFault

READ_BYTES = 1 << 20
UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp")
LOCK_PREFIX = "~$"  # of the file that Excel keeps beside a workbook while it is open


@dataclass(frozen=True, slots=True)
class LandingObject:
    """A key on the landing and the version of it that was seen.

    `etag` changes whenever the bytes do; equal bytes may still differ in it (a touched file, a multipart upload).
    `last_modified` is always that of a listing: a server may give another time for a single object.
    """

    key: str
    size: int
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class PassedOver:
    """Something on the landing that can't be an object: what it is, and what a person can do about it.

    `hides` says that objects may lie in it unseen.
    """

    key: str
    fault: str
    remedy: str
    hides: bool = False

    @property
    def message(self) -> str:
        """The fault and the remedy, as in an error."""
        return f"{self.key}: {self.fault}\n  {self.remedy}"


class Walk(Enum):
    """What to do with a folder of the landing."""

    SKIP = "skip"  # neither it nor what is in it is listed
    DEEPER = "deeper"  # its objects are listed, and its folders asked about
    WHOLE = "whole"  # everything in it at any depth is listed


def refuse_hidden(entry: PassedOver) -> None:
    """For who must see everything: raises `OperatorFault` where objects may lie unseen, and ignores the rest."""
    if entry.hides:
        raise OperatorFault(entry.message)


class Landing(Protocol):
    """A place of objects. Keys are relative to it, with `/` between folders."""

    url: str
    at_once: int  # so many objects are worth being fetched at the same time

    def walk(
        self,
        choose: Callable[[str], Walk],
        start: str = "",
        passed_over: Callable[[PassedOver], None] = refuse_hidden,
    ) -> Iterator[LandingObject]:
        """The objects under the folder `start`, unfinished ones too, in no promised order.

        `choose` is asked about each folder (with its slash, '' for the landing) before it is listed, and about those
        in it only if it said `DEEPER`. What can't be an object goes to `passed_over`, and the walk goes on.
        """

    def list_objects(self, prefix: str = "") -> Iterator[LandingObject]:
        """Every finished object under the folder `prefix`, in no promised order."""

    def look(self, key: str) -> LandingObject | None:
        """One object as a listing would show it now, or None."""

    def open(self, seen: LandingObject) -> BinaryIO:
        """The bytes of the version seen. Raises `ObjectChanged`, here or while reading, if it is another by now."""

    def write(self, key: str, data: bytes | BinaryIO, *, lasting: bool = False) -> None:
        """Puts an object whole, given as bytes or as an open file: a reader never sees half of it.

        `lasting` is for what can't be had again: once this returns, it survives a loss of power.
        """

    def delete(self, key: str) -> None:
        """Takes away an object that we wrote ourselves, never what a sender delivered. None there is fine."""


def is_unfinished(key: str) -> bool:
    """Whether a key says that it is not a delivery: hidden, still being written (`.part`), or a lock file of Excel."""
    if key.startswith(".") or "/." in key or key.lower().endswith(UNFINISHED_SUFFIXES):
        return True
    return LOCK_PREFIX in key and key[key.rfind("/") + 1 :].startswith(LOCK_PREFIX)


def finished(landing: Landing, prefix: str) -> Iterator[LandingObject]:
    """Everything under a folder but what its sender is still writing."""
    return (item for item in landing.walk(lambda _: Walk.WHOLE, prefix) if not is_unfinished(item.key))


def hash_object(landing: Landing, seen: LandingObject) -> bytes:
    """The SHA-256 of the bytes of the version seen. Raises `ObjectChanged` if another lies there by now."""
    digest = hashlib.sha256()
    with closing(landing.open(seen)) as stream:
        while data := stream.read(READ_BYTES):
            digest.update(data)
    return digest.digest()
