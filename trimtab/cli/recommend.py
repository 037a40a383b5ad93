"""`trimtab recommend`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import NoData, SettingsError
from trimtab.cli.options import RATE, Config, load_settings, positive, say

if TYPE_CHECKING:
    from trimtab.cycle import Outcome
    from trimtab.settings import Settings
    from trimtab.wiring import Program


class Output(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    MARKDOWN = "markdown"


def recommend(
    *,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="More history files, after --history.", show_default=False),
    ] = None,
    prometheus: Annotated[
        str | None, typer.Option("--prometheus", metavar="URL", help="Prometheus to ask.", show_default=False)
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option("--history", metavar="FILE", help="Recorded history in place of Prometheus.", show_default=False),
    ] = None,
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
    settings = _settings(config, prometheus, [*(history or []), *(files or [])], capacity)
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


def _settings(config: Path | None, prometheus: str | None, files: list[Path], capacity: float | None) -> Settings:
    """The settings under what the command line says; a scan of its own choosing is kept nowhere."""
    if prometheus and files:
        raise SettingsError("--history", str(files[0]), "give either --prometheus or --history")
    if capacity is not None:
        positive("--capacity", capacity, RATE)
    settings = load_settings(config)
    from trimtab.overrides import chosen  # noqa: PLC0415

    return chosen(settings, prometheus=prometheus, files=files, capacity=capacity, keep=config is not None)


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
