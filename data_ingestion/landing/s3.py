"""S3: a landing in a bucket."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, cast

from data_ingestion.errors import DropFault, ObjectChanged, OperatorFault
from data_ingestion.landing.base import LandingObject, PassedOver, Walk, finished, refuse_hidden

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef


class S3Landing:
    """A bucket, or a folder in one, on any server that speaks S3."""

    at_once = 8  # an answer takes many times as long as what is done with a small object

    def __init__(self, bucket: str, prefix: str = "", client: S3Client | None = None) -> None:
        self.bucket, self.prefix = bucket, f"{prefix}/" if prefix else ""
        self.url = f"s3://{bucket}/{prefix}".rstrip("/")
        self._client = client or _connect_s3()

    def walk(
        self,
        choose: Callable[[str], Walk],
        start: str = "",
        passed_over: Callable[[PassedOver], None] = refuse_hidden,  # a bucket holds nothing but objects
    ) -> Iterator[LandingObject]:
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
                        if not item["Key"].endswith("/"):
                            yield self._seen(item)
                    waiting += [
                        found["Prefix"][len(self.prefix) :] for found in page.get("CommonPrefixes", [])
                    ]

    def list_objects(self, prefix: str = "") -> Iterator[LandingObject]:
        return finished(self, prefix)

    def look(self, key: str) -> LandingObject | None:
        # Not by HEAD: it has whole seconds where a listing may have milliseconds, and a drop's rank follows the time.
        # The key is the first of all that begin with it.
        with _s3_errors(f"{self.url}/{key}"):
            place = self.prefix + key
            page = self._client.list_objects_v2(Bucket=self.bucket, Prefix=place, MaxKeys=1)
        return next((self._seen(item) for item in page.get("Contents", []) if item["Key"] == place), None)

    def _seen(self, item: ObjectTypeDef) -> LandingObject:
        """An object as a listing has it."""
        key = item["Key"][len(self.prefix) :]
        return LandingObject(key, item["Size"], item["ETag"].strip('"'), item["LastModified"])

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
    """The bytes of an object, where a connection that breaks on the way is reported as such."""

    def __init__(self, body: Any, place: str) -> None:
        self._body, self._place = body, place

    def read(self, size: int = -1) -> bytes:
        with _s3_errors(self._place):
            return cast(bytes, self._body.read(None if size < 0 else size))

    def close(self) -> None:
        self._body.close()

    def __enter__(self) -> _S3Body:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


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


def _archived(place: str, answer: Mapping[str, Any]) -> DropFault:
    """An object that S3 keeps but does not hand out, until its owner asks for it back."""
    kept = answer.get("StorageClass") or "an archive"
    bucket, _, key = place.removeprefix("s3://").partition("/")
    how_long = "{}" if kept == "INTELLIGENT_TIERING" else "Days=7"
    command = [
        "aws",
        "s3api",
        "restore-object",
        "--bucket",
        bucket,
        "--key",
        key,
        "--restore-request",
        how_long,
    ]
    return DropFault(
        f"{place}: archived ({kept}), so S3 does not return its content\n"
        f"  have it restored, which takes hours, then load again: {shlex.join(command)}"
    )


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
        if code == "InvalidObjectState":
            raise _archived(self.place, getattr(error, "response", {}).get("Error", {})) from error
        if code in ("PreconditionFailed", "412", "NoSuchKey", "404") and code != "NoSuchBucket":
            raise ObjectChanged(f"{self.place}: changed or gone since it was listed") from error
        remedy = {
            "NoSuchBucket": "make the bucket, or choose another landing",
            "AccessDenied": "the key needs s3:ListBucket and s3:GetObject on this bucket",
            "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID",
            "SignatureDoesNotMatch": "check AWS_SECRET_ACCESS_KEY",
        }.get(code, "check AWS_ENDPOINT_URL, the network and the AWS_* settings")
        raise OperatorFault(f"{self.place}: {error}\n  {remedy}") from error
