"""`trimtab replay`."""

from __future__ import annotations

import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import SettingsError
from trimtab.cli.options import Config, say
from trimtab.cli.traces import choose

if TYPE_CHECKING:
    from trimtab.settings import WorkloadSettings

OURS = "trimtab"


class Output(StrEnum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"


def replay(
    *,
    trace: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Recorded history to replay.", show_default=False)
    ] = None,
    capacity: Annotated[
        float | None,
        typer.Option("--capacity", metavar="RPS", help="Requests/s that one replica carries.", show_default=False),
    ] = None,
    startup: Annotated[
        float | None,
        typer.Option(
            "--startup", metavar="SECONDS", help="From asking for a replica to its being ready.", show_default="300"
        ),
    ] = None,
    attainment: Annotated[
        float | None, typer.Option("--attainment", help="Share of requests that has to be met.", show_default="0.999")
    ] = None,
    warmup_days: Annotated[
        float, typer.Option("--warmup-days", min=0, help="Days at the start that are not counted.")
    ] = 7.0,
    min_replicas: Annotated[
        int | None, typer.Option("--min-replicas", min=0, help="Replicas always kept.", show_default="1")
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            "--replica-usd-per-hour", metavar="USD", help="Price of a replica.", show_default="of the price book"
        ),
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", metavar="NAME", help="Only this policy (may be given again).", show_default="all"),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option("--decisions", metavar="OUT.csv", help="Write our decision after every step.", show_default=False),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            "--chart", metavar="OUT.png|svg", help="Draw load, replicas and misses over time.", show_default=False
        ),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", metavar="OUT.png|svg", help="Draw dollars against misses.", show_default=False),
    ] = None,
    worth: Annotated[
        float | None,
        typer.Option(
            "--usd-per-missed-request",
            metavar="USD",
            help="Weigh replicas against this, not the attainment.",
            show_default=False,
        ),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Option(
            "--workload", metavar="ID", help="Recording of the settings file to take.", show_default="the first"
        ),
    ] = None,
    config: Config = None,
    output: Annotated[Output, typer.Option("--output", help="Form of the result.")] = Output.TABLE,
) -> None:
    """Replay scaling policies against recorded load, side by side in dollars and missed requests.

    What a settings file says of the workload (capacity, start-up, attainment, floor, machine) stands
    where the option is left out.
    """
    chosen = choose(trace, config, workload)
    section = chosen.section
    from trimtab import replaying  # noqa: PLC0415  numpy and the optimizer take a second to load
    from trimtab.wiring import now  # noqa: PLC0415

    question = replaying.Question(
        capacity_rps=_capacity(capacity, section),
        startup=timedelta(seconds=_first(startup, section.time_to_ready_s if section else None, 300.0)),
        attainment=_first(attainment, section.slo.attainment if section else None, 0.999),
        min_replicas=int(_first(min_replicas, section.bounds.min_replicas if section else None, 1)),
        max_replicas=section.bounds.max_replicas if section else None,
        warmup=timedelta(days=warmup_days),
        policies=tuple(policy or ()),
        usd_per_missed_request=worth if worth is not None or section is None else section.slo.usd_per_missed_request,
    )
    if decisions is not None and policy and OURS not in policy:
        raise SettingsError("--policy", ", ".join(policy), f"decisions are written of {OURS}: add --policy {OURS}")
    if curve is not None and policy and OURS not in policy:
        raise SettingsError("--policy", ", ".join(policy), f"the curve is that of {OURS}: add --policy {OURS}")
    paid = replaying.price_of(price, section, now().date())
    say(f"replaying {len(chosen.trace.requests)} steps of {chosen.trace.requests.step_s:g} s; {paid.detail}")
    done = replaying.run(chosen.trace, question, paid)
    if decisions is not None:
        replaying.decisions_csv(chosen.trace, done, decisions)
    if chart is not None:
        replaying.chart_of(done, chart)
    if curve is not None:
        replaying.curve_of(done, curve)
    write = replaying.to_json if output is Output.JSON else replaying.table
    sys.stdout.write(write(done, question, paid))


def _capacity(given: float | None, section: WorkloadSettings | None) -> float:
    of_settings = section.capacity_rps if section else None
    capacity = of_settings if given is None else given
    if capacity is None:
        raise SettingsError("--capacity", None, "give the requests/s that one replica carries within its SLO")
    return capacity


def _first(given: float | None, of_settings: float | None, default: float) -> float:
    if given is not None:
        return given
    return default if of_settings is None else of_settings
