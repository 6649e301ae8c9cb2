"""Bucket: that of a landing on the local S3 server. Alone in its container, too, so it needs nothing of the runtime."""

import os
import sys
import urllib.error
import urllib.request


def ensure_bucket(server: str, landing: str) -> str:
    """Make the bucket of `s3://bucket/folder` unless it is there; its name.

    Requests need no signature on that server. Raises OSError when it does not answer or refuses.
    """
    bucket = landing.removeprefix("s3://").split("/", 1)[0]
    request = urllib.request.Request(f"{server}/{bucket}", method="PUT", data=b"")
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        if error.code != 409:  # it is there
            raise OSError(f"bucket {bucket} at {server}: {error.code} {error.reason}") from error
    return bucket


if __name__ == "__main__":
    try:
        print(ensure_bucket(os.environ["AWS_ENDPOINT_URL"], os.environ["GOLDWORKS_LANDING_URL"]))
    except OSError as error:
        sys.exit(str(error))
