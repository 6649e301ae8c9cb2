"""Object store: a local S3 server that keeps its objects, for landings that are not on real S3.

It accepts any secret (there is nobody to keep out on 127.0.0.1), so it must never listen anywhere else.
"""

from runtime import Fault, bucket
from runtime.services import Service, answers, inherited_environment
from runtime.settings import ROOT, Settings, read_env_file

NAME = "s3"


def service(settings: Settings) -> Service:
    port = settings.port("GOLDWORKS_S3_PORT")
    place = settings.home / "s3"
    environment = {
        **inherited_environment(),
        **read_env_file(ROOT / "runtime" / "s3.env"),
        "BIND_HOST": "127.0.0.1",  # the server's own default is every interface
        "GATEWAY_PORT": str(port),
        "S3_DATA_DIR": str(place / "objects"),
        "STATE_DIR": str(place / "state"),
        "MINISTACK_REGION": settings.environment().get("AWS_DEFAULT_REGION", "us-east-1"),
    }
    return Service(
        NAME,
        [str(settings.program("runtime", "ministack"))],
        environment,
        lambda: answers(f"http://127.0.0.1:{port}/", "ListAllMyBucketsResult"),
        f"http://127.0.0.1:{port}",
    )


def ensure_bucket(settings: Settings) -> None:
    """The bucket of the landing, on the local server."""
    try:
        bucket.ensure_bucket(f"http://127.0.0.1:{settings.port('GOLDWORKS_S3_PORT')}", settings.landing)
    except OSError as error:
        raise Fault(str(error)) from error
