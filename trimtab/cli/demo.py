"""`trimtab demo`."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="Do the whole work once, print it, and end.")] = False,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Without servers: the same work on recorded history files.")
    ] = False,
) -> None:
    """Run the whole work on real recorded load: history in a real Prometheus, a served model, recommendations."""
    from trimtab.demo.run import run  # noqa: PLC0415

    raise typer.Exit(run(once=once, embedded=embedded))
