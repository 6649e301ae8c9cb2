"""Folder: a landing on a disk."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, cast

from data_ingestion.errors import ObjectChanged, OperatorFault
from data_ingestion.landing.base import LandingObject, Walk, finished


class FolderLanding:
    """A folder. The version of a file is its size, times and inode: a change that leaves all of them is not seen."""

    at_once = 1

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self.url = self.root.as_uri()
        if not self.root.is_dir():
            raise OperatorFault(
                f"landing {self.url}: no such folder\n  make it, or choose another with --landing"
            )

    def walk(self, choose: Callable[[str], Walk], start: str = "") -> Iterator[LandingObject]:
        waiting = [(start, Walk.DEEPER)]
        while waiting:
            folder, how = waiting.pop()
            if how is Walk.DEEPER:
                how = choose(folder)
            if how is Walk.SKIP:
                continue
            for entry in self._entries(folder):
                key = folder + _key(entry.name)
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith("."):
                        waiting.append((f"{key}/", how))
                    continue
                try:
                    status = entry.stat()
                except FileNotFoundError:  # moved away since the folder was read
                    continue
                except OSError as error:  # a link that leads to itself
                    raise OperatorFault(f"{entry.path}: can't be looked at: {error.strerror}") from error
                if stat.S_ISREG(status.st_mode):  # to read a pipe would be to wait for its writer
                    yield self._seen(key, status)

    def list_objects(self, prefix: str = "") -> Iterator[LandingObject]:
        return finished(self, prefix)

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(_path(self.root, folder)) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):  # moved away, or never there
            return []
        except OSError as error:
            raise OperatorFault(f"{error.filename}: can't be listed: {error.strerror}") from error

    def look(self, key: str) -> LandingObject | None:
        try:
            return self._seen(key, _path(self.root, key).stat())
        except FileNotFoundError:
            return None

    def open(self, seen: LandingObject) -> BinaryIO:
        try:
            stream = _path(self.root, seen.key).open("rb", buffering=0)  # who reads asks for much at a time
        except FileNotFoundError as error:
            raise ObjectChanged(f"{seen.key}: gone since it was listed") from error
        except OSError as error:
            raise OperatorFault(f"{self.root / seen.key}: can't be read: {error.strerror}") from error
        if self._seen(seen.key, os.fstat(stream.fileno())).etag != seen.etag:
            stream.close()
            raise ObjectChanged(f"{seen.key}: changed since it was listed")
        return cast(
            BinaryIO, _SteadyFile(stream, lambda: self._seen(seen.key, os.fstat(stream.fileno())), seen)
        )

    def write(self, key: str, data: bytes | BinaryIO, *, lasting: bool = False) -> None:
        path = self.root / key
        unfinished = _unfinished(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with unfinished.open("wb") as file:
                shutil.copyfileobj(io.BytesIO(data) if isinstance(data, bytes) else data, file)
                if lasting:
                    file.flush()
                    os.fsync(file.fileno())
            unfinished.replace(path)
            if lasting:
                self._keep_folders(path.parent)
        except OSError as error:
            raise OperatorFault(
                f"{path}: can't be written: {error.strerror}\n  see to room and permissions there"
            ) from error

    def _keep_folders(self, folder: Path) -> None:
        """Makes the names of what lies in a folder, and of the folders above, last."""
        for place in (folder, *folder.parents):
            opened = os.open(place, os.O_RDONLY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)
            if place == self.root:
                return

    def delete(self, key: str) -> None:
        for path in (
            self.root / key,
            _unfinished(self.root / key),
        ):  # a write that was cut off left the latter
            path.unlink(missing_ok=True)

    @staticmethod
    def _seen(key: str, status: os.stat_result) -> LandingObject:
        etag = f"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ctime_ns:x}-{status.st_ino:x}"
        return LandingObject(key, status.st_size, etag, datetime.fromtimestamp(status.st_mtime, UTC))


def _unfinished(path: Path) -> Path:
    """Where a file waits until it is whole: hidden, and of no name that anybody delivers."""
    return path.with_name(f".{path.name}.part")


def _key(name: str) -> str:
    """A file's name in a key: what is no UTF-8 in it is shown as `\\xff`."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _path(root: Path, key: str) -> Path:
    """The path that a key stands for."""
    path = root / key
    if "\\x" in key and not path.exists():
        raw = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), key.encode())
        return root / os.fsdecode(raw)
    return path


class _SteadyFile:
    """A file that must still be the version seen when its last byte has been read."""

    def __init__(self, stream: FileIO, look: Any, seen: LandingObject) -> None:
        self._stream, self._look, self._seen = stream, look, seen

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if (not data or size < 0) and self._look().etag != self._seen.etag:
            raise ObjectChanged(f"{self._seen.key}: changed while it was read")
        return data

    def close(self) -> None:
        self._stream.close()

    def __enter__(self) -> _SteadyFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
