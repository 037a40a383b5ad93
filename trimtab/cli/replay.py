"""`trimtab replay`."""

from __future__ import annotations

import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from domain.errors import SettingsError
from domain.workload import MOST_REPLICAS
from trimtab.cli.options import LONGEST, RATE, Config, dollars, positive, say, span
from trimtab.cli.traces import choose

if TYPE_CHECKING:
    from trimtab.settings import WorkloadSettings

OURS = "trimtab"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
HOUR_S = 3600.0


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
    warmup_days: Annotated[float, typer.Option("--warmup-days", help="Days at the start that are not counted.")] = 7.0,
    min_replicas: Annotated[
        int | None, typer.Option("--min-replicas", help="Replicas always kept.", show_default="1")
    ] = None,
    max_replicas: Annotated[
        int | None,
        typer.Option(
            "--max-replicas", help="Replicas never exceeded, by any policy but what ran.", show_default="no limit"
        ),
    ] = None,
    interval: Annotated[
        float | None,
        typer.Option(
            "--decision-interval", metavar="SECONDS", help="How often our policy decides at most.", show_default="60"
        ),
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

    What a settings file says of the workload (capacity, start-up, attainment, bounds on replicas, machine)
    stands where the option is left out.
    """
    warmup = span("--warmup-days", warmup_days, DAY, most=LONGEST)
    _need_usable(
        capacity=capacity,
        startup=startup,
        attainment=attainment,
        least=min_replicas,
        most=max_replicas,
        interval=interval,
        price=price,
        worth=worth,
    )
    if decisions is not None and policy and OURS not in policy:
        raise SettingsError("--policy", ", ".join(policy), f"decisions are written of {OURS}: add --policy {OURS}")
    if curve is not None and policy and OURS not in policy:
        raise SettingsError("--policy", ", ".join(policy), f"the curve is that of {OURS}: add --policy {OURS}")
    from trimtab.outputs import need_pictures  # noqa: PLC0415

    need_pictures({"--chart": chart, "--curve": curve})
    chosen = choose(trace, config, workload, outputs={"--decisions": decisions, "--chart": chart, "--curve": curve})
    section = chosen.section
    from trimtab import replaying  # noqa: PLC0415  numpy and the optimizer take a second to load
    from trimtab.wiring import now  # noqa: PLC0415

    least, most = _bounds(min_replicas, max_replicas, section)
    question = replaying.Question(
        capacity_rps=_capacity(capacity, section),
        startup=_first(startup, section.time_to_ready_s if section else None, 300.0) * SECOND,
        attainment=_first(attainment, section.slo.attainment if section else None, 0.999),
        min_replicas=least,
        max_replicas=most,
        decision_interval=(chosen.decisions.interval_s if interval is None else interval) * SECOND,
        warmup=warmup,
        policies=tuple(dict.fromkeys(policy or ())),
        usd_per_missed_request=worth if worth is not None or section is None else section.slo.usd_per_missed_request,
    )
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


def _need_usable(
    *,
    capacity: float | None,
    startup: float | None,
    attainment: float | None,
    least: int | None,
    most: int | None,
    interval: float | None,
    price: float | None,
    worth: float | None,
) -> None:
    """SettingsError for an option that no replay can be asked with, before anything is read."""
    if capacity is not None:
        positive("--capacity", capacity, RATE)
    if startup is not None:
        span("--startup", startup, SECOND, most=DAY)
    if attainment is not None and not 0 < attainment < 1:
        raise SettingsError("--attainment", attainment, "give a share above 0 and below 1, such as 0.999")
    if least is not None and not 0 <= least <= MOST_REPLICAS:
        raise SettingsError("--min-replicas", least, f"give a whole number from 0 to {MOST_REPLICAS}")
    if most is not None and not 1 <= most <= MOST_REPLICAS:
        raise SettingsError("--max-replicas", most, f"give a whole number from 1 to {MOST_REPLICAS}")
    if interval is not None and not 1 <= interval <= HOUR_S:
        raise SettingsError("--decision-interval", interval, f"give seconds from 1 to {HOUR_S:g}")
    if price is not None:
        dollars("--replica-usd-per-hour", price, least=1e-6)
    if worth is not None:
        dollars("--usd-per-missed-request", worth, least=1e-12)


def _bounds(
    given_least: int | None, given_most: int | None, section: WorkloadSettings | None
) -> tuple[int, int | None]:
    """The replicas that are always kept, and those that are never exceeded; SettingsError where the first are more."""
    settings = section.bounds if section else None
    least = given_least if given_least is not None else settings.min_replicas if settings else 1
    most = given_most if given_most is not None else settings.max_replicas if settings else None
    if most is None or least <= most:
        return least, most
    if given_least is None:
        raise SettingsError("--max-replicas", most, f"give at least bounds.min_replicas of the settings ({least})")
    limit = "bounds.max_replicas of the settings" if given_most is None else "--max-replicas"
    raise SettingsError("--min-replicas", least, f"give at most {limit} ({most})")


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
