"""Object store: a local S3 server that keeps its objects, for landings that are not on real S3.

It accepts any secret (there is nobody to keep out on 127.0.0.1), so it must never listen anywhere else.
"""

import urllib.error
import urllib.request

from runtime import Fault
from runtime.services import Service, answers, inherited_environment
from runtime.settings import Settings

NAME = "s3"


def service(settings: Settings) -> Service:
    port = settings.port("GOLDWORKS_S3_PORT")
    place = settings.home / "s3"
    environment = inherited_environment() | {
        "BIND_HOST": "127.0.0.1",  # the server's own default is every interface
        "GATEWAY_PORT": str(port),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(place / "objects"),
        "PERSIST_STATE": "1",
        "STATE_DIR": str(place / "state"),
        "IOT_MTLS_ENABLED": "0",  # else one more port, on every interface
        "SERVICES": "s3",  # of the ninety it imitates, one: its Lambda would run any page's code
        "MINISTACK_REGION": settings.environment()["AWS_DEFAULT_REGION"],
        "LOG_LEVEL": "WARNING",
    }
    return Service(
        NAME,
        [str(settings.program("runtime", "ministack"))],
        environment,
        lambda: answers(f"http://127.0.0.1:{port}/", "ListAllMyBucketsResult"),
        f"http://127.0.0.1:{port}",
    )


def ensure_bucket(settings: Settings) -> None:
    """The bucket of the landing, on the local server; requests need no signature there."""
    bucket = settings.landing.removeprefix("s3://").split("/", 1)[0]
    request = urllib.request.Request(
        f"http://127.0.0.1:{settings.port('GOLDWORKS_S3_PORT')}/{bucket}", method="PUT", data=b""
    )
    try:
        urllib.request.urlopen(request, timeout=10).close()
    except urllib.error.HTTPError as error:
        if error.code != 409:  # it is there
            raise Fault(f"bucket {bucket} on the local S3 server: {error.code} {error.reason}") from error
