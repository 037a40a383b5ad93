"""`trimtab backtest`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import Config, duration, say
from trimtab.cli.traces import choose


def backtest(
    *,
    out: Annotated[Path, typer.Option("--out", metavar="OUT.csv", help="File to write the forecasts to.")],
    trace: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Recorded history to forecast.", show_default=False)
    ] = None,
    horizon: Annotated[str, typer.Option("--horizon", help="How far ahead.")] = "24h",
    step: Annotated[str, typer.Option("--step", help="Width of one step of the forecast.")] = "1h",
    folds: Annotated[
        int | None, typer.Option("--folds", min=1, help="Only the last so many origins.", show_default="all")
    ] = None,
    every: Annotated[str, typer.Option("--every", help="From one origin to the next.")] = "24h",
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="Only this forecaster.", show_default="chosen by back-test"),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            "--country",
            metavar="CODE",
            help="ISO 3166; its public holidays and weekend are days of rest.",
            show_default="of the settings",
        ),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Option(
            "--workload", metavar="ID", help="Recording of the settings file to take.", show_default="the first"
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Forecast from origins in the past, each seeing nothing later, and write every forecast as CSV."""
    ahead, width, apart = duration("--horizon", horizon), duration("--step", step), duration("--every", every)
    chosen = choose(trace, config, workload, outputs={"--out": out})
    from trimtab.backtesting import Question, write_backtest  # noqa: PLC0415

    told = chosen.section.country if country is None and chosen.section else country
    question = Question(horizon=ahead, step=width, every=apart, folds=folds, model=model, country=told)
    say(f"forecasting {len(chosen.trace.requests)} steps of {chosen.trace.requests.step_s:g} s")
    for line in write_backtest(chosen.trace.requests, question, out):
        say(line)
