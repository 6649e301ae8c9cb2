"""Terminal: what the runtime says while it works. Colours and a running clock on a terminal, plain lines elsewhere."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

_write_lock = threading.Lock()


def is_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def say(text: str = "") -> None:
    """One line (or several), never torn apart by another thread's."""
    with _write_lock:
        _clear_line()
        print(text, flush=True)


def complain(text: str) -> None:
    with _write_lock:
        _clear_line()
        sys.stdout.flush()
        print(text, file=sys.stderr, flush=True)


def accent(text: str, colour: str = "bold") -> str:
    codes = {"bold": "1", "dim": "2", "green": "32", "red": "31", "yellow": "33"}
    if not is_terminal() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{codes[colour]}m{text}\x1b[0m"


def seconds(duration: float) -> str:
    """4.2 s, 75 s → 1:15 min."""
    if duration < 60:
        return f"{duration:.1f} s"
    return f"{int(duration) // 60}:{int(duration) % 60:02d} min"


@dataclass
class Step:
    """A piece of work that is under way; `note` is what its line ends with."""

    name: str
    note: str = ""
    began: float = field(default_factory=time.monotonic)


@contextmanager
def step(name: str, what: str = "") -> Iterator[Step]:
    """Announce a piece of work, and say how long it took and what came of it; nothing more when it fails."""
    under_way = Step(name, what)
    if not is_terminal():
        say(f"{name:<12}  {what} …" if what else f"{name:<12}  …")
    _running.append(under_way)
    _Clock.ensure()
    try:
        yield under_way
    except BaseException:
        _running.remove(under_way)
        say(f"{accent('failed', 'red')}  {name}  after {seconds(time.monotonic() - under_way.began)}")
        raise
    _running.remove(under_way)
    took = seconds(time.monotonic() - under_way.began)
    say(f"{accent(f'{name:<12}', 'green')}  {under_way.note:<72}  {took:>9}")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, numbers to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row: Sequence[str], mark: Callable[[str], str] = str) -> str:
        cells = [
            cell.rjust(width) if cell.replace(",", "").replace(".", "").isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        ]
        return mark("  ".join(cells).rstrip())

    return "\n".join([line(header, accent), *(line(row) for row in rows)])


_running: list[Step] = []


class _Clock(threading.Thread):
    """Repaints one status line a few times a second while steps run; only on a terminal."""

    _only: "_Clock | None" = None

    @classmethod
    def ensure(cls) -> None:
        if is_terminal() and (cls._only is None or not cls._only.is_alive()):
            cls._only = cls(daemon=True)
            cls._only.start()

    def run(self) -> None:
        while _running:
            with _write_lock:
                parts = [f"{s.name} {seconds(time.monotonic() - s.began)}" for s in list(_running)]
                notes = [s.note for s in list(_running) if s.note]
                _clear_line()
                width = os.get_terminal_size().columns - 1
                print(f"\r\x1b[2m{' · '.join(parts + notes[-1:])[:width]}\x1b[0m", end="", flush=True)
            time.sleep(0.2)
        with _write_lock:
            _clear_line()


def _clear_line() -> None:
    if is_terminal():
        print("\r\x1b[2K", end="")
