"""The stand-in for Snowflake as a server of the tests: started when it is first asked for, ended with them."""

import atexit
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from runtime.environments import ensure_environments
from runtime.settings import home_directory

PORT = "GOLDWORKS_STAND_IN_SNOWFLAKE_PORT"  # processes that a test starts use the same
KEY = "GOLDWORKS_SNOWFLAKE_PRIVATE_KEY_FILE"
SCRIPT = Path(__file__).with_name("fake_snowflake.py")
SECONDS_TO_START = 60


def url(database: str) -> str:
    """The URL of a database on the stand-in."""
    return f"snowflake://loader@account/{database}?host=127.0.0.1&port={_port()}&protocol=http&warehouse=w"


def abandon() -> None:
    """Undoes all transactions that are under way, as Snowflake does with those whose client is gone."""
    urllib.request.urlopen(f"http://127.0.0.1:{_port()}/stand-in/abandon", data=b"").read()


def _port() -> str:
    if PORT not in os.environ:
        os.environ[PORT] = str(_start())
        if KEY not in os.environ:
            os.environ[KEY] = str(_key_file())
    return os.environ[PORT]


def _start() -> int:
    home = home_directory()
    ensure_environments(home, ["stand-ins"])
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    python = home / "venvs" / "stand-ins" / "bin" / "python"
    server = subprocess.Popen([python, SCRIPT, str(port)])
    atexit.register(server.kill)
    ended = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < ended and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/stand-in/abandon", data=b"").read()
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return port
    raise AssertionError(f"the stand-in for Snowflake did not start: {server.poll()}")


def _key_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="goldworks-key-"))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = folder / "rsa_key.p8"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
