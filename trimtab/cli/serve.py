"""`trimtab serve`."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from trimtab.cli.options import Config, need_settings, say


def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.", show_default="8000"),
    ] = None,
) -> None:
    """Run the scheduler, the API and the web page until Ctrl-C."""
    settings = need_settings(config)
    from trimtab.server import run_server  # noqa: PLC0415
    from trimtab.wiring import build  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    changed = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    program = build(settings.model_copy(update={"api": settings.api.model_copy(update=changed)}))
    run_server(program, on_ready=lambda url: say(f"trimtab: listening on {url}"))
