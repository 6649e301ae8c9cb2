"""Landing: where files are delivered, a bucket or a folder, and the objects that lie there."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, cast
from urllib.parse import unquote, urlsplit

from data_ingestion.errors import ObjectChanged, OperatorFault

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

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


def open_landing(url: str) -> Landing:
    """The landing at `s3://bucket/prefix`, `file:///folder` or a plain path.

    An S3 endpoint other than Amazon's is taken from the standard `AWS_ENDPOINT_URL`.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:  # what stands before it may be a secret, so the URL is not shown
        raise OperatorFault(
            "landing: its URL holds a login\n  write s3://BUCKET/FOLDER, and the keys as AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY"
        )
    if parts.scheme == "s3":
        if not parts.netloc:
            raise OperatorFault(f"landing {url}: no bucket\n  write s3://BUCKET or s3://BUCKET/FOLDER")
        return S3Landing(parts.netloc, parts.path.strip("/"))
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise OperatorFault(
                f"landing {url}: a file URL has three slashes\n  write file:///FOLDER, or the plain path"
            )
        return FolderLanding(Path(unquote(parts.path)))
    if "://" in url:
        raise OperatorFault(
            f"landing {url}: {parts.scheme}:// is not supported\n  use s3://BUCKET, file:///FOLDER or a path"
        )
    return FolderLanding(Path(url))


def open_store(url: str) -> Landing:
    """A place that we write to ourselves, a lake or reports; a folder that is not there yet is made."""
    parts = urlsplit(url)
    if parts.scheme in ("", "file") and parts.netloc in ("", "localhost"):
        folder = Path(unquote(parts.path) if parts.scheme else url).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OperatorFault(f"{folder}: can't be made: {error.strerror}") from error
    return open_landing(url)


def is_unfinished(key: str) -> bool:
    """Whether a key is of the kind that senders write to before they rename: hidden, or with a suffix such as .part."""
    return key.startswith(".") or "/." in key or key.lower().endswith(UNFINISHED_SUFFIXES)


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
        return _finished(self, prefix)

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


def _finished(landing: Landing, prefix: str) -> Iterator[LandingObject]:
    """Everything under a folder but what its sender is still writing."""
    return (item for item in landing.walk(lambda _: Walk.WHOLE, prefix) if not is_unfinished(item.key))


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


class S3Landing:
    """A bucket, or a folder in one, on any server that speaks S3."""

    at_once = 8  # an answer takes many times as long as what is done with a small object

    def __init__(self, bucket: str, prefix: str = "", client: S3Client | None = None) -> None:
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._client = client or _connect_s3()

    def walk(self, choose: Callable[[str], Walk], start: str = "") -> Iterator[LandingObject]:
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            how = choose(folder)
            if how is Walk.SKIP:
                continue
            # Without a delimiter a page holds 1,000 objects of any depth; with one, a page is of one folder.
            ask, place = self._client.get_paginator("list_objects_v2").paginate, self.prefix + folder
            pages = (
                ask(Bucket=self.bucket, Prefix=place, Delimiter="/")
                if how is Walk.DEEPER
                else ask(Bucket=self.bucket, Prefix=place)
            )
            with _s3_errors(self.url):
                for page in pages:
                    for item in page.get("Contents", []):
                        key = item["Key"][len(self.prefix) :]
                        if not key.endswith("/"):
                            yield LandingObject(
                                key, item["Size"], item["ETag"].strip('"'), item["LastModified"]
                            )
                    waiting += [
                        found["Prefix"][len(self.prefix) :] for found in page.get("CommonPrefixes", [])
                    ]

    def list_objects(self, prefix: str = "") -> Iterator[LandingObject]:
        return _finished(self, prefix)

    def look(self, key: str) -> LandingObject | None:
        try:
            with _s3_errors(f"{self.url}/{key}"):
                head = self._client.head_object(Bucket=self.bucket, Key=self.prefix + key)
        except ObjectChanged:
            return None
        return LandingObject(key, head["ContentLength"], head["ETag"].strip('"'), head["LastModified"])

    def open(self, seen: LandingObject) -> BinaryIO:
        with _s3_errors(f"{self.url}/{seen.key}"):
            answer = self._client.get_object(
                Bucket=self.bucket, Key=self.prefix + seen.key, IfMatch=f'"{seen.etag}"'
            )
        if answer["ETag"].strip('"') != seen.etag:  # a server that does not know If-Match
            answer["Body"].close()
            raise ObjectChanged(f"{seen.key}: changed since it was listed")
        return cast(BinaryIO, _S3Body(answer["Body"], f"{self.url}/{seen.key}"))

    def write(self, key: str, data: bytes | BinaryIO, *, lasting: bool = False) -> None:
        with _s3_errors(f"{self.url}/{key}"):
            if isinstance(data, bytes):
                self._client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=data)
            else:  # in parts where it is large: one request takes no more than 5 GiB
                self._client.upload_fileobj(data, self.bucket, self.prefix + key)

    def delete(self, key: str) -> None:
        with _s3_errors(f"{self.url}/{key}"):
            self._client.delete_object(Bucket=self.bucket, Key=self.prefix + key)


class _S3Body:
    """The bytes of an object, where a connection that breaks on the way is told as such."""

    def __init__(self, body: Any, place: str) -> None:
        self._body, self._place = body, place

    def read(self, size: int = -1) -> bytes:
        with _s3_errors(self._place):
            return cast(bytes, self._body.read(None if size < 0 else size))

    def __enter__(self) -> _S3Body:
        return self

    def __exit__(self, *_: object) -> None:
        self._body.close()


def _connect_s3() -> S3Client:
    import boto3  # 0.2 s: only a landing on S3 pays for it
    from botocore.config import Config

    # Path style works on every server; a bucket in a host name needs DNS of its own.
    style: Literal["path", "auto"] = "path" if os.environ.get("AWS_ENDPOINT_URL") else "auto"
    config = Config(retries={"max_attempts": 5, "mode": "standard"}, s3={"addressing_style": style})
    with _s3_errors("the landing"):
        try:
            return boto3.client("s3", config=config)
        except ValueError as error:
            raise OperatorFault(
                f"the landing: {error}\n  write AWS_ENDPOINT_URL as http://HOST:PORT"
            ) from error


class _s3_errors:  # noqa: N801 - reads as the statement it is: with _s3_errors(place)
    """Turns botocore's errors into ours, naming the place."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None or not kind.__module__.startswith("botocore"):
            return
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        if code in ("PreconditionFailed", "412", "NoSuchKey", "404") and code != "NoSuchBucket":
            raise ObjectChanged(f"{self.place}: changed or gone since it was listed") from error
        remedy = {
            "NoSuchBucket": "make the bucket, or choose another landing",
            "AccessDenied": "the key needs s3:ListBucket and s3:GetObject on this bucket",
            "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
            "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
        }.get(code, "check AWS_ENDPOINT_URL, the network and the AWS_* settings")
        raise OperatorFault(f"{self.place}: {error}\n  {remedy}") from error
