"""Landing: where files are delivered, a bucket or a folder, and the objects that lie there."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from data_ingestion.errors import OperatorFault
from data_ingestion.landing.base import Landing, LandingObject, PassedOver, Walk, hash_object, is_unfinished
from data_ingestion.landing.folder import FolderLanding
from data_ingestion.landing.s3 import S3Landing

__all__ = [
    "FolderLanding",
    "Landing",
    "LandingObject",
    "PassedOver",
    "S3Landing",
    "Walk",
    "hash_object",
    "is_unfinished",
    "open_landing",
    "open_store",
]


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
