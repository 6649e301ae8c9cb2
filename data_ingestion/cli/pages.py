"""Pages of reports and profiles, for a browser on this machine."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer

from data_ingestion.cli import output
from data_ingestion.cli.options import LandingOption, WarehouseOption
from data_ingestion.settings import Settings

PORT = 8090


def pages(
    port: Annotated[int, typer.Option(envvar="GOLDWORKS_PAGES_PORT", help="Port to serve them on.")] = PORT,
    host: Annotated[
        str, typer.Option(help="Address to listen on; another than 127.0.0.1 is for containers.")
    ] = "127.0.0.1",
    landing: LandingOption = None, warehouse: WarehouseOption = None,
) -> None:  # fmt: skip
    """Serve the pages of reports and profiles to a browser on this machine, read-only, until Ctrl-C."""
    from data_ingestion.landing import open_store
    from data_ingestion.pages import PageServer

    settings = Settings.from_environment(landing_url=landing, warehouse_url=warehouse)
    with PageServer(open_store(settings.reports), host, port) as server, suppress(KeyboardInterrupt):
        output.say("pages", f"http://127.0.0.1:{server.server_address[1]}/  {settings.reports}, until Ctrl-C")
        server.serve_forever()
