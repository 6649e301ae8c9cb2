"""Prefetch: the next chunk is read while this one is checked and copied: Arrow's parser lets other threads work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")


@contextmanager
def read_ahead(items: Iterable[Item]) -> Iterator[Iterator[Item]]:
    """The same items in the same order, of which one more is held. What reading raises is raised in its place.

    At the end of the context nothing is being read, however it was left.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="reader") as thread:
        yield _one_ahead(iter(items), thread)


def _one_ahead(source: Iterator[Item], thread: Executor) -> Iterator[Item]:
    following: Future[Item | None] = thread.submit(next, source, None)
    while (item := following.result()) is not None:
        following = thread.submit(next, source, None)
        yield item
