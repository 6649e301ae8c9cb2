"""Progress: a bar of the bytes read, at the bottom of a terminal; the lines go above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from data_ingestion.settings import log_target


class ReadBytes:
    """How many bytes of which drops were read: what is read again counts once, so that no bar passes its end."""

    def __init__(self, sizes: Mapping[str, int], show: Callable[[int], None]) -> None:
        self._sizes, self._show = sizes, show
        self._read = dict.fromkeys(sizes, 0)
        self.total = 0

    def add(self, key: str, count: int) -> None:
        """So many bytes more of a drop were read."""
        size, before = self._sizes.get(key, 0), self._read.get(key, 0)
        after = min(before + count, size)
        if after > before:
            self._read[key] = after
            self.total += after - before
            self._show(self.total)

    def end(self, key: str) -> None:
        """A drop is done, whether or not its bytes had to be read."""
        self.add(key, self._sizes.get(key, 0))


@contextmanager
def progress_bar(label: str, sizes: Mapping[str, int], shown: bool) -> Iterator[ReadBytes]:
    """A bar over drops of these sizes, by key. None where something else than its lines is written to the terminal."""
    if not shown or log_target() == "-" or not _is_on_terminal():
        yield ReadBytes(sizes, lambda _: None)
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    from data_ingestion.cli.console import console

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    # On the console of the lines: it moves the bar down when it prints one.
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(label, total=sum(sizes.values()))
        yield ReadBytes(sizes, lambda total: progress.update(task, completed=total))


def _is_on_terminal() -> bool:
    from data_ingestion.cli.console import console, errors

    return console.is_terminal and errors.is_terminal
