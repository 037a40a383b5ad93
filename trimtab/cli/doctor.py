"""`trimtab doctor`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from trimtab.cli.options import Config, say
from trimtab.cli.sources import Files, History, PrometheusUrl, settings_of

BROKEN = 1


class Output(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"


def doctor(
    *,
    files: Files = None,
    prometheus: PrometheusUrl = None,
    history: History = None,
    config: Config = None,
    output: Annotated[Output, typer.Option("--output", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Check the health of every input: freshness, gaps, resets, renamed metrics, cardinality, prices, with the fix.

    Reads only, and decides nothing. Exit code 1 where an input is broken: a source that does not answer, or a signal
    that decisions or promises cannot do without. Warnings are no fault. See docs/doctor.md.
    """
    settings = settings_of(config, prometheus, [*(history or []), *(files or [])], None)
    from trimtab.doctor import examine  # noqa: PLC0415
    from trimtab.healthtable import write  # noqa: PLC0415
    from trimtab.wiring import decision_options, gathering, now  # noqa: PLC0415

    book, fleet, _ = gathering(settings)
    examined = examine(settings, fleet, book, decision_options(settings).readiness, now=now(), progress=say)
    sys.stdout.write(write(output.value, examined))
    if examined.broken:
        raise typer.Exit(BROKEN)
