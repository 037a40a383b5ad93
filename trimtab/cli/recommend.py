"""`trimtab recommend`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import NoData
from trimtab.cli.options import RATE, Config, positive, say
from trimtab.cli.sources import Files, History, PrometheusUrl, settings_of

if TYPE_CHECKING:
    from trimtab.cycle import Outcome
    from trimtab.wiring import Program


class Output(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def recommend(
    *,
    files: Files = None,
    prometheus: PrometheusUrl = None,
    history: History = None,
    capacity: Annotated[
        float | None,
        typer.Option("--capacity", metavar="RPS", help="Requests/s that one replica carries.", show_default=False),
    ] = None,
    config: Config = None,
    output: Annotated[Output, typer.Option("--output", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Look once at every workload and say what to do; reads only.

    Progress goes to stderr, the result to stdout. With a settings file whose source is used as it
    stands, the recommendations are also kept in its store, so that `trimtab explain` knows them.
    """
    if capacity is not None:
        positive("--capacity", capacity, RATE)
    settings = settings_of(config, prometheus, [*(history or []), *(files or [])], capacity)
    from trimtab.tables import write  # noqa: PLC0415
    from trimtab.wiring import build, now  # noqa: PLC0415

    program = build(settings, progress=say)
    moment = now()
    if history:
        program.fleet.need_capacity(program.fleet.workloads(moment))
    outcome = program.cycle.run(now=moment)
    if outcome.records or not outcome.problems:
        sys.stdout.write(write(output.value, outcome.records, moment))
    _judge(program, outcome)


def _judge(program: Program, outcome: Outcome) -> None:
    """Exit code 1 where nothing could be had: a source that fails, or one that holds nothing of any workload."""
    for name, problem in outcome.problems.items():
        if not name:
            raise problem
        say(f"trimtab: {name}: {problem}")
    if outcome.problems and len(outcome.problems) >= len(outcome.records):
        raise next(iter(outcome.problems.values()))
    if outcome.records and not any(record.last_seen for record in outcome.records):
        raise NoData(
            str(program.fleet.source),
            "holds no load of any workload",
            "see `match` of the workloads, and that they are scraped",
        )
