"""Ahead: the next chunk is read while this one is checked and copied: Arrow's parser lets other threads work."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from data_ingestion.reading.chunk import Chunk


@contextmanager
def read_ahead(chunks: Iterable[Chunk]) -> Iterator[Iterator[Chunk]]:
    """The same chunks in the same order, of which one more is held. What reading raises is raised in its place.

    At the end of the context nothing is being read any more, however it was left.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="reader") as thread:
        yield _one_ahead(iter(chunks), thread)


def _one_ahead(chunks: Iterator[Chunk], thread: ThreadPoolExecutor) -> Iterator[Chunk]:
    following = thread.submit(next, chunks, None)
    while (chunk := following.result()) is not None:
        following = thread.submit(next, chunks, None)
        yield chunk
