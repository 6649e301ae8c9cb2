"""Place: where a Redshift is, who logs in, and where files are staged for its COPY."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from data_ingestion.errors import OperatorFault

USAGE = "write redshift://USER:PASSWORD@HOST:5439/DATABASE, or redshift://USER@HOST:5439/DATABASE?iam=true"


@dataclass(frozen=True)
class Place:
    """A cluster or workgroup, the folder of S3 in which rows are staged, and the role by which COPY reads it."""

    host: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)
    iam: bool
    ssl: bool
    staging: str
    role: str

    @classmethod
    def of(cls, url: str) -> Place:
        """The place that a warehouse's URL and `GOLDWORKS_STAGING_URL` name."""
        found = urlsplit(url)
        options = {name: values[-1] for name, values in parse_qs(found.query).items()}
        database = found.path.strip("/")
        iam = options.get("iam") == "true"
        if not (found.hostname and database and found.username and (found.password or iam)):
            raise OperatorFault(f"the URL of the Redshift can't be read\n  {USAGE}")
        staging = os.environ.get("GOLDWORKS_STAGING_URL", "").rstrip("/")
        if not staging.startswith("s3://"):
            raise OperatorFault(
                "GOLDWORKS_STAGING_URL is not set: Redshift copies rows from files on S3\n"
                "  set it to a folder that the loader may write to and the cluster may read, s3://BUCKET/FOLDER"
            )
        return cls(
            found.hostname, found.port or 5439, database, unquote(found.username), unquote(found.password or ""),
            iam, options.get("sslmode") != "disable", staging, os.environ.get("GOLDWORKS_COPY_ROLE", ""),
        )  # fmt: skip

    @property
    def authorization(self) -> str:
        """By which role COPY reads the staged files."""
        return "iam_role '" + self.role.replace("'", "''") + "'" if self.role else "iam_role default"

    def connect(self) -> Any:
        """A connection of the driver's."""
        import redshift_connector

        login: dict[str, Any] = {"user": self.user, "password": self.password}
        if self.iam:
            login = {"iam": True, "db_user": self.user}
            if ".redshift-serverless." not in self.host:  # of a workgroup, the driver reads it off the host
                login["cluster_identifier"] = self.host.partition(".")[0]
        return redshift_connector.connect(
            host=self.host, port=self.port, database=self.database, ssl=self.ssl, **login
        )
