"""A stand-in for Redshift: a Postgres behind a door that speaks as Redshift's own driver wants it.

It refuses what Redshift does (`redshift_rules`), copies from manifests, holds texts to their bytes, and can end
transactions with error 1023 at random. It proves the driver, the protocol, the transactions and the order of
statements; what a cluster makes of them it can't.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
import socket
import struct
from contextlib import suppress
from pathlib import Path
from random import Random
from threading import Thread
from urllib.parse import urlsplit

import psycopg

from tests.stand_ins.redshift_rules import faults_of

SSL_REQUEST = 80877103
COPY = re.compile(
    r"\s*copy (?P<table>\S+) \((?P<columns>[^)]*)\) from '(?P<manifest>[^']*)' iam_role (default|'[^']*') "
    r"manifest format as csv gzip null as '(?P<null>[^']*)' timeformat 'auto' compupdate off statupdate off\s*",
    re.IGNORECASE,
)
TEXT_COLUMN = re.compile(r'("[^"]+"|\b\w+) varchar\((\d+)\)')
MADE = re.compile(r'\s*create (temporary )?table (if not exists )?[\w."]+ \(|\s*alter table\b', re.IGNORECASE)
STORAGE = re.compile(r"\s+encode raw|\s+diststyle even", re.IGNORECASE)
DATE_PART = re.compile(r"\b(dateadd|datediff)\s*\(\s*(\w+)\s*,", re.IGNORECASE)
NO_PASSWORD = re.compile(r"\bpassword disable\b", re.IGNORECASE)
# Which role COPY may use is nothing that a Postgres knows.
ROLE_OF_COPY = re.compile(r"\s*grant assumerole on (default|'[^']*') to \w+ for copy\s*", re.IGNORECASE)
TRY_CAST = re.compile(r"\btry_cast\s*\(", re.IGNORECASE)
UNBOUND = re.compile(r"\s+with no schema binding\b", re.IGNORECASE)
CONFLICT = "1023 Serializable isolation violation on table"


def read_url(url: str) -> bytes:
    """A file on S3, at the server that AWS_ENDPOINT_URL names, or in a folder."""
    if not url.startswith("s3://"):
        return Path(url).read_bytes()
    import boto3

    bucket, _, key = url.removeprefix("s3://").partition("/")
    return boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()


class RedshiftStandIn:
    """Listens in a thread of its own. `conflicts` is the share of commits that end with error 1023."""

    def __init__(self, postgres_url: str, conflicts: float = 0.0, seed: int = 0) -> None:
        self.postgres = urlsplit(postgres_url)
        self.conflicts, self.chance = conflicts, Random(seed)
        self.conflicted = 0
        self.statements: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._thread = Thread(target=self._loop.run_forever, daemon=True, name="redshift")
        self._thread.start()

    @property
    def url(self) -> str:
        """The warehouse's URL."""
        user, password = self.postgres.username, self.postgres.password
        return f"redshift://{user}:{password}@127.0.0.1:{self.port}{self.postgres.path}?sslmode=disable"

    def close(self) -> None:
        """Ends every connection."""

        def end() -> None:
            self._server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.call_later(0.05, self._loop.stop)

        self._loop.call_soon_threadsafe(end)
        self._thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await Door(self, reader, writer).serve()
        with suppress(ConnectionError, RuntimeError):
            writer.close()

    def meets_another(self) -> bool:
        """Whether a transaction that would commit now ends with error 1023."""
        if self.chance.random() >= self.conflicts:
            return False
        self.conflicted += 1
        return True


class Door:
    """One connection of a client's, and the one to Postgres that stands behind it."""

    def __init__(
        self, stand_in: RedshiftStandIn, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.stand_in, self.reader, self.writer = stand_in, reader, writer
        self._prepared: dict[bytes, str] = {}
        self._copied: list[bytes] = []

    async def serve(self) -> None:
        body = await self._read()
        while struct.unpack(">I", body[:4])[0] == SSL_REQUEST:
            self.writer.write(b"N")
            body = await self._read()
        parts = body[4:].rstrip(b"\0").split(b"\0")
        asked = dict(zip(parts[::2], parts[1::2], strict=False))
        self._answer(b"R", struct.pack(">I", 3))  # the password, please
        await self.reader.readexactly(1)
        password = (await self._read())[:-1].decode()
        try:
            behind = await asyncio.to_thread(
                psycopg.connect,
                host=self.stand_in.postgres.hostname,
                port=self.stand_in.postgres.port,
                user=asked[b"user"].decode(),
                dbname=asked[b"database"].decode(),
                password=password,
                autocommit=True,
                options="-c search_path=public,redshift",
            )
        except psycopg.OperationalError as error:
            self._answer(b"E", b"SFATAL\0C28P01\0M" + str(error).encode() + b"\0\0")
            await self.writer.drain()
            return
        with behind:
            await self._pass_on(socket.socket(fileno=os.dup(behind.fileno())))

    async def _pass_on(self, there: socket.socket) -> None:
        self._answer(b"R", struct.pack(">I", 0))
        # As a cluster says; the driver reads it as a version.
        for name, value in (
            ("server_version", "8.0.2"),
            ("server_protocol_version", "0"),
            ("client_encoding", "UTF8"),
        ):
            self._answer(b"S", f"{name}\0{value}\0".encode())
        self._answer(b"K", struct.pack(">II", 0, 0))
        self._answer(b"Z", b"I")
        behind, to_behind = await asyncio.open_connection(sock=there)
        both = [
            asyncio.create_task(self._from_client(to_behind)),
            asyncio.create_task(self._to_client(behind, to_behind)),
        ]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    task.result()
        finally:
            for task in both:
                task.cancel()
            to_behind.close()

    async def _from_client(self, writer: asyncio.StreamWriter) -> None:
        while True:
            kind = await self.reader.readexactly(1)
            body = await self._read()
            if kind == b"P":
                name, text, rest = body.split(b"\0", 2)
                self._prepared[name] = text.decode()
                body = b"\0".join((name, (await self._translated(text.decode())).encode(), rest))
            elif kind == b"B":  # the driver prepares a statement once, however often it is said
                portal, name, rest = body.split(b"\0", 2)
                statement = self._prepared[name]
                self.stand_in.statements.append(statement)
                if statement.strip().lower() == "commit" and self.stand_in.meets_another():
                    refused = b"\0" + _refusal(CONFLICT).encode() + b"\0\0\0"
                    writer.write(b"P" + struct.pack(">I", len(refused) + 4) + refused)
                    body = b"\0".join((portal, b"", rest))
            writer.write(kind + struct.pack(">I", len(body) + 4) + body)
            await writer.drain()

    async def _to_client(self, reader: asyncio.StreamReader, to_behind: asyncio.StreamWriter) -> None:
        while True:
            kind = await reader.readexactly(1)
            length = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack(">I", length)[0] - 4)
            if kind == b"G":  # it waits for what COPY reads
                for data in self._copied:
                    to_behind.write(b"d" + struct.pack(">I", len(data) + 4) + data)
                to_behind.write(b"c\0\0\0\4S\0\0\0\4")
                await to_behind.drain()
                continue
            self.writer.write(kind + length + body)
            if kind in b"ZE":
                await self.writer.drain()

    async def _translated(self, statement: str) -> str:
        """The statement as the Postgres behind is given it, or one that fails where Redshift would refuse it."""
        if faults := faults_of(statement):
            return _refusal(f"{'; '.join(faults)}: {statement[:300]}")
        if re.match(r"\s*copy\b", statement, re.IGNORECASE):
            copy = COPY.fullmatch(statement)
            if copy is None:
                return _refusal("an option of COPY that this stand-in does not know")
            try:
                entries = json.loads(await asyncio.to_thread(read_url, copy["manifest"]))["entries"]
                self._copied = [
                    gzip.decompress(await asyncio.to_thread(read_url, entry["url"])) for entry in entries
                ]
            except Exception as error:
                return _refusal(f"S3ServiceException: {error}")
            return f"copy {copy['table']} ({copy['columns']}) from stdin with (format csv, null '{copy['null']}')"
        if ROLE_OF_COPY.fullmatch(statement):
            return "select"
        statement = NO_PASSWORD.sub("password null", statement)
        statement = try_casts(UNBOUND.sub("", STORAGE.sub("", statement)))
        statement = DATE_PART.sub(r"\1('\2',", statement).replace("pg_catalog.svv_", "redshift.svv_")
        if MADE.match(statement):
            statement = TEXT_COLUMN.sub(r"\1 varchar(\2) check (octet_length(\1) <= \2)", statement)
        statement = statement.replace("json_serialize(", "json_as_text(")  # Postgres' own one is another
        return re.sub(r"\bsysdate\b", "localtimestamp", statement, flags=re.IGNORECASE)

    async def _read(self) -> bytes:
        length = struct.unpack(">I", await self.reader.readexactly(4))[0]
        return await self.reader.readexactly(length - 4)

    def _answer(self, kind: bytes, body: bytes) -> None:
        self.writer.write(kind + struct.pack(">I", len(body) + 4) + body)


def try_casts(statement: str) -> str:
    """`try_cast(… as …)` in the words of Postgres: null of what the type does not take."""
    while begun := TRY_CAST.search(statement):
        depth, end = 1, begun.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(statement[end], 0)
            end += 1
        text, kind = statement[begun.end() : end - 1].rsplit(" as ", 1)
        valid = f"cast(case when pg_input_is_valid({text}, '{kind}') then {text} end as {kind})"
        statement = statement[: begun.start()] + valid + statement[end:]
    return statement


def _refusal(message: str) -> str:
    """A statement that fails with a message."""
    quoted = message.replace("'", "''").replace("%", "%%")
    return f"do $refused$ begin raise exception using message = '{quoted}', errcode = '42601'; end $refused$"
