"""Folder: a landing on a disk."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, cast

from data_ingestion.errors import ObjectChanged, OperatorFault
from data_ingestion.landing.base import (
    LandingObject,
    PassedOver,
    Walk,
    finished,
    is_unfinished,
    refuse_hidden,
)
from data_ingestion.landing.names import MAX_KEY_BYTES, is_too_long, key_of, name_of


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

    def walk(
        self,
        choose: Callable[[str], Walk],
        start: str = "",
        passed_over: Callable[[PassedOver], None] = refuse_hidden,
    ) -> Iterator[LandingObject]:
        if start and (linked := self._linked_start(start)):
            passed_over(linked)
            return
        waiting = [(start, Walk.DEEPER)]
        while waiting:
            folder, how = waiting.pop()
            if how is Walk.DEEPER:
                how = choose(folder)
            if how is Walk.SKIP:
                continue
            for entry in self._entries(folder, passed_over):
                key = folder + key_of(entry.name)
                found = self._look_at(entry, key)
                if isinstance(found, LandingObject):
                    yield found
                elif isinstance(found, PassedOver):
                    if not is_unfinished(key):
                        passed_over(found)
                elif found and not entry.name.startswith("."):
                    waiting.append((found, how))

    def list_objects(self, prefix: str = "") -> Iterator[LandingObject]:
        return finished(self, prefix)

    def _entries(self, folder: str, passed_over: Callable[[PassedOver], None]) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self.root / name_of(folder)) as entries:
                return sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):  # moved away, or never there
            return []
        except OSError as error:
            if not folder:
                raise OperatorFault(f"{self.root}: can't be listed: {error.strerror}") from error
            passed_over(_unreadable(folder.rstrip("/"), error))
            return []

    def _look_at(self, entry: os.DirEntry[str], key: str) -> LandingObject | PassedOver | str | None:
        """What a directory's entry is: an object, a folder (its key with a slash), neither, or gone by now."""
        try:
            if is_too_long(key):
                fault = f"its path is longer than {MAX_KEY_BYTES:,} bytes"
                return PassedOver(key, fault, "shorten its name or its folders'", hides=entry.is_dir())
            if entry.is_symlink() and (refused := self._check_link(entry, key)):
                return refused
            if entry.is_dir(follow_symlinks=False):
                return f"{key}/"
            status = entry.stat()
        except FileNotFoundError:  # moved away since the folder was read
            return None
        except OSError as error:
            return _unreadable(key, error)
        if not stat.S_ISREG(status.st_mode):  # to read a pipe would be to wait for its writer
            return PassedOver(key, "not a file or a folder, but a pipe, a socket or a device", "remove it")
        try:
            return self._seen(key, status)
        except (ValueError, OverflowError, OSError):
            return PassedOver(key, "its modification time is outside the years 1 to 9999", "touch it")

    def _check_link(self, entry: os.DirEntry[str], key: str) -> PassedOver | None:
        """Why a link is not followed; None for one to a file of the landing, which is another name of that file."""
        try:
            target = Path(os.path.realpath(entry.path, strict=True))
        except FileNotFoundError:
            if not os.path.lexists(entry.path):
                return None
            return PassedOver(
                key, "a broken link: its target does not exist", "remove it, or restore its target"
            )
        except OSError as error:
            if error.errno != errno.ELOOP:
                return _unreadable(key, error)
            return PassedOver(key, "a link that points to itself", "remove it")
        is_folder = target.is_dir()
        if not self._is_inside(target):
            return _leads_out(key, hides=is_folder)
        if is_folder:
            remedy = "nothing is lost: the files of that folder are loaded from there"
            return PassedOver(key, "a link to a folder on the landing, which is not followed", remedy)
        return None

    def _linked_start(self, start: str) -> PassedOver | None:
        """A folder to begin at that is a link, or lies behind one."""
        path = self.root / name_of(start.rstrip("/"))
        try:
            target = Path(os.path.realpath(path, strict=True))
        except OSError:  # not there, or not readable: listing it reports that
            return None
        if target == path:
            return None
        key = start.rstrip("/")
        if self._is_inside(target):
            remedy = "use the folder itself in the contract's path"
            return PassedOver(
                key, "a link to a folder on the landing, which is not followed", remedy, hides=True
            )
        return _leads_out(key, hides=True)

    def _is_inside(self, target: Path) -> bool:
        return target.is_relative_to(self.root)

    def _path(self, key: str) -> Path | None:
        """Where the bytes of a key are, also behind a link to a file on the landing; None where nothing is.

        Raises `OperatorFault` for what lies outside the landing.
        """
        try:
            target = Path(os.path.realpath(self.root / name_of(key), strict=True))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link that leads to itself
                return None
            raise OperatorFault(f"{key}: can't be read: {error.strerror}") from error
        if not self._is_inside(target):
            raise OperatorFault(_leads_out(key, hides=False).message)
        return target

    def look(self, key: str) -> LandingObject | None:
        path = self._path(key)
        try:
            status = path.stat() if path else None
        except FileNotFoundError:
            return None
        return self._seen(key, status) if status and stat.S_ISREG(status.st_mode) else None

    def open(self, seen: LandingObject) -> BinaryIO:
        path = self._path(seen.key)
        if path is None:
            raise ObjectChanged(f"{seen.key}: gone since it was listed")
        try:
            stream = path.open("rb", buffering=0)  # who reads asks for much at a time
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
                f"{path}: can't be written: {error.strerror}\n  check free space and permissions there"
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


def _unreadable(key: str, error: OSError) -> PassedOver:
    remedy = "make it readable for the user that runs the loader"
    return PassedOver(key, f"can't be read: {error.strerror}", remedy, hides=True)


def _leads_out(key: str, *, hides: bool) -> PassedOver:
    remedy = "copy or move its target into the landing, or mount it there"
    return PassedOver(key, "a link to a target outside the landing, which is not followed", remedy, hides)


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
