"""The small panels on top of a dashboard, one number of this moment each; and what all dashboards colour alike."""

from __future__ import annotations

from dashboards.options import DashboardOptions
from dashboards.spec import NEUTRAL, Kind, Panel, Query, Step

MOST = 15  # lines of a panel over all workloads

SAVES = (Step(value=None, colour="orange"), Step(value=0.0, colour="green"))
NONE_WANTED = (Step(value=None, colour="green"), Step(value=1.0, colour="red"))


def ages(options: DashboardOptions) -> tuple[Step, ...]:
    """Orange from the age on at which the alert tells of an input, red where nothing is decided on it any more."""
    bounds = {options.too_old.total_seconds(): "red"}
    if options.stale < options.too_old:
        bounds[options.stale.total_seconds()] = "orange"
    return Step(value=None, colour="green"), *(Step(value=age, colour=bounds[age]) for age in sorted(bounds))


def input_age(expr: str, of: str, options: DashboardOptions) -> Panel:
    """The oldest input of this moment; `of` says whose."""
    minutes = options.too_old.total_seconds() / 60
    text = f"Age of the stalest signal of {of}; older than {minutes:g} minutes nothing is decided on it."
    return stat("Oldest input", text, "s", expr, thresholds=ages(options))


def worse_above(bound: float | None) -> tuple[Step, ...]:
    """Green under the bound, red from it on; plain where there is none."""
    return NEUTRAL if bound is None else (Step(value=None, colour="green"), Step(value=bound, colour="red"))


def worse_below(bound: float | None) -> tuple[Step, ...]:
    """Red under the bound, green from it on; plain where there is none."""
    return NEUTRAL if bound is None else (Step(value=None, colour="red"), Step(value=bound, colour="green"))


def stat(
    title: str,
    description: str,
    unit: str,
    expr: str,
    *,
    legend: str = "",
    thresholds: tuple[Step, ...] = NEUTRAL,
    named: bool = False,
) -> Panel:
    """One number of this moment, or (`named`) the name of the series in its place."""
    return Panel(
        kind=Kind.STAT,
        title=title,
        description=description,
        unit=unit,
        queries=(Query(expr=expr, legend=legend, instant=True),),
        thresholds=thresholds,
        width=4,
        height=4,
        least=None,
        named=named,
    )
