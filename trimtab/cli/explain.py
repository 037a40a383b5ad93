"""`trimtab explain`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from domain.errors import SettingsError
from trimtab.cli.options import Config, need_settings, say


class Output(StrEnum):
    """How the result is written."""

    TEXT = "text"
    JSON = "json"


def explain(
    recommendation: Annotated[
        str, typer.Argument(metavar="ID", help="A recommendation's id, or a workload's for its newest.")
    ],
    *,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Decide again on the same inputs, and compare to the last bit.")
    ] = False,
    output: Annotated[Output, typer.Option("--output", help="Form of the result.")] = Output.TEXT,
    config: Config = None,
) -> None:
    """Show a recommendation's whole evidence: reasons, forecast, back-test, replay, capacity, prices, break-even."""
    settings = need_settings(config)
    from trimtab.cli.fill import filled  # noqa: PLC0415
    from trimtab.explaining import explained, recomputed  # noqa: PLC0415
    from trimtab.wiring import build  # noqa: PLC0415

    program = build(settings, progress=say)
    records = filled(program)
    record = program.recommendations.find(recommendation) or program.recommendations.newest_of(recommendation)
    if record is None:
        known = ", ".join(f"{one.recommendation.id} ({one.recommendation.workload})" for one in records)
        raise SettingsError("ID", recommendation, f"the store knows {known}")
    sys.stdout.write(explained(record, program.clock(), as_json=output is Output.JSON))
    if recompute:
        say(recomputed(program, record))
