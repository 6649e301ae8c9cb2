"""Base: what any landing must be able to do, and the objects that lie there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import BinaryIO, Protocol

UNFINISHED_SUFFIXES = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp")


@dataclass(frozen=True, slots=True)
class LandingObject:
    """A key on the landing and the version of it that was seen.

    `etag` changes whenever the bytes do; equal bytes may still differ in it (a touched file, a multipart upload).
    """

    key: str
    size: int
    etag: str
    last_modified: datetime


class Walk(Enum):
    """What to do with a folder of the landing."""

    SKIP = "skip"  # neither it nor what is in it is listed
    DEEPER = "deeper"  # its objects are listed, and its folders asked about
    WHOLE = "whole"  # everything in it at any depth is listed


class Landing(Protocol):
    """A place of objects. Keys are relative to it, with `/` between folders."""

    url: str
    at_once: int  # so many objects are worth being fetched at the same time

    def walk(self, choose: Callable[[str], Walk], start: str = "") -> Iterator[LandingObject]:
        """The objects under the folder `start`, unfinished ones too, in no promised order.

        `choose` is asked about each folder (with its slash, '' for the landing) before it is listed, and about those
        in it only if it said `DEEPER`.
        """

    def list_objects(self, prefix: str = "") -> Iterator[LandingObject]:
        """Every finished object under the folder `prefix`, in no promised order."""

    def look(self, key: str) -> LandingObject | None:
        """One object as it lies there now, or None."""

    def open(self, seen: LandingObject) -> BinaryIO:
        """The bytes of the version seen. Raises `ObjectChanged`, here or while reading, if it is another by now."""

    def write(self, key: str, data: bytes | BinaryIO, *, lasting: bool = False) -> None:
        """Puts an object whole, given as bytes or as an open file: a reader never sees half of it.

        `lasting` is for what can't be had again: once this returns, it survives a loss of power.
        """

    def delete(self, key: str) -> None:
        """Takes away an object that we wrote ourselves, never what a sender delivered. None there is fine."""


def is_unfinished(key: str) -> bool:
    """Whether a key is of the kind that senders write to before they rename: hidden, or with a suffix such as .part."""
    return key.startswith(".") or "/." in key or key.lower().endswith(UNFINISHED_SUFFIXES)


def finished(landing: Landing, prefix: str) -> Iterator[LandingObject]:
    """Everything under a folder but what its sender is still writing."""
    return (item for item in landing.walk(lambda _: Walk.WHOLE, prefix) if not is_unfinished(item.key))
