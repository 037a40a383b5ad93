"""How fast budgets of bad requests are spent, over the windows and at the quantiles that the alerts compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dashboards import names
from dashboards.directory import any_of
from dashboards.identity import by_workload
from dashboards.spec import Panel, Query, Step
from dashboards.stats import MOST, worse_above
from domain.burn import FAST, SLOW, within_reach
from domain.recorded import QUANTILE, duration, recorded_name
from domain.signals import RuntimeProfile, Signal, quote, selector
from domain.workload import Slo, Workload

TABLE = (*FAST, *SLOW)
# At 1 the budget of 30 days just lasts them; what is critical begins at the least factor of the fast alerts.
PACES = (
    Step(value=None, colour="green"),
    Step(value=1.0, colour="orange"),
    Step(value=min(row.factor for row in FAST), colour="red"),
)


# Promises about time: the signal, the title of its panel, and what comes late.
LATE = (
    (Signal.LATENCY, "Slow requests by window", "requests"),
    (Signal.TIME_TO_FIRST_TOKEN, "Late first tokens by window", "first tokens"),
    (Signal.INTER_TOKEN_LATENCY, "Slow tokens by window", "tokens"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What workloads of one runtime promised, by id; `labels` and `own` select them in its metrics and in ours."""

    profile: RuntimeProfile
    labels: Mapping[str, str]
    own: str
    slos: Mapping[str, Slo]

    def recorded(self, signal: Signal, window: timedelta, quantile: float = QUANTILE) -> str | None:
        """The recorded series, one element without labels; None where the runtime has none."""
        name = recorded_name(self.profile, signal, window=window, quantile=quantile)
        return None if name is None else f"max({name}{{{selector(self.labels)}}})"


def budget_panels(promised: Promised) -> list[Panel]:
    """The pace of failures, and of every promise about time that somebody gave."""
    return [_failures(promised), *(_late(promised, *late) for late in LATE)]


def worst(targets: Sequence[tuple[Workload, RuntimeProfile]]) -> Panel:
    """The workloads of the fleet whose error budget goes fastest, as far as ids hold the labels."""
    slos = {workload.id: workload.slo for workload, _ in targets}
    row = FAST[0]
    ratios = [
        by_workload(name, profile)
        for profile in {profile.name: profile for _, profile in targets}.values()
        if (name := recorded_name(profile, Signal.ERROR_RATIO, window=row.long)) is not None
    ]
    return Panel(
        title="Burn of error budgets",
        description=f"Share of requests that failed within {duration(row.long)} over the error budget of each workload, of the {MOST} worst. At 1 the budget of 30 days lasts them; above {row.factor:g} an alert fires.",
        unit="short",
        decimals=1,
        queries=tuple(
            Query(expr=f"topk({MOST}, {_over_budget(each, slos, 'workload')})", legend="{{workload}}")
            for each in ratios
        ),
        thresholds=PACES,
        line=True,
    )


def _failures(promised: Promised) -> Panel:
    """Times the pace at which the budget lasts, in each long window of the alerts."""
    bounds = ", ".join(f"{row.factor:g} in {duration(row.long)}" for row in TABLE)
    return Panel(
        title="Burn of the error budget",
        description=f"Share of requests that failed over the error budget of the workload. At 1 the budget of 30 days lasts them. Alerts fire above {bounds}, each with a shorter window beside it.",
        unit="short",
        decimals=1,
        queries=tuple(
            Query(expr=_over_budget(ratio, promised.slos, "", promised.own), legend=duration(row.long))
            for row in TABLE
            if (ratio := promised.recorded(Signal.ERROR_RATIO, row.long)) is not None
        ),
        thresholds=PACES,
        line=True,
        width=8,
    )


def _late(promised: Promised, signal: Signal, title: str, what: str) -> Panel:
    """The quantiles that lie above the bound where more are late than a pace of the budget allows."""
    bounds = {name: bound for name, slo in promised.slos.items() if (bound := slo.latency_bounds.get(signal))}
    found = []
    for quantile in sorted({promised.slos[name].latency_quantile for name in bounds}):
        held = [name for name in bounds if promised.slos[name].latency_quantile == quantile]
        only = "" if len(held) == len(promised.slos) else f" and on () {_any(_matchers(promised.own, held))}"
        budget = promised.slos[held[0]].slow_budget
        for row in within_reach(TABLE, budget) if signal in promised.profile.buckets else ():
            level = row.quantile(budget)
            series = promised.recorded(signal, row.long, level)
            if series is not None:
                found.append(Query(expr=f"{series}{only}", legend=f"{100 * level:g} % within, {duration(row.long)}"))
    bound = min(bounds.values(), default=None)
    return Panel(
        title=title,
        description=f"Seconds at the quantiles that the alerts compare: above the bound (the line; the strictest one where the dashboard serves many workloads) more {what} are late than the pace of its window allows.",
        unit="s",
        queries=tuple(found),
        thresholds=worse_above(None if bound is None else bound.total_seconds()),
        line=bound is not None,
        width=8,
    )


def _over_budget(ratio: str, slos: Mapping[str, Slo], label: str, own: str = "") -> str:
    """`ratio`, by `label` alone, over the error budget of the workload; who has none of the usual one is listed."""
    held: dict[str, list[str]] = {}
    for name, slo in sorted(slos.items()):
        held.setdefault(f"{slo.budget:.6g}", []).append(name)
    usual, *others = sorted(held, key=lambda budget: (-len(held[budget]), budget))
    if not others:
        return f"{ratio} / {usual}"
    rest = [name for budget in others for name in held[budget]]
    budgets = [f"{usual} * {_any(_matchers(own, rest, but=True), label)}"]
    budgets += [f"{budget} * {_any(_matchers(own, held[budget]), label)}" for budget in others]
    return f"{ratio} / on ({label}) ({' or '.join(budgets)})"


def _any(matchers: str, label: str = "") -> str:
    """1 by `label` for the workloads that have a recommendation."""
    return f"max by ({label}) ({names.INFO}{{{matchers}}})"


def _matchers(own: str, workloads: Sequence[str], *, but: bool = False) -> str:
    listed = f"{names.WORKLOAD}{'!~' if but else '=~'}{quote(any_of(workloads))}"
    return ",".join(filter(None, (own, listed)))
