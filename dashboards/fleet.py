"""The fleet overview: what everything costs, what is proposed, whether promises hold, whether we see."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import money, names, unusual
from dashboards.alarms import ABOUT_ONE, alarms, of_each_workload, quiet
from dashboards.around import links, marks
from dashboards.budgets import worst
from dashboards.costs import spending
from dashboards.directory import Directory
from dashboards.health import failures
from dashboards.options import DashboardOptions
from dashboards.spec import Board, Panel, Query, Section, present
from dashboards.stats import MOST, SAVES, input_age, stat, worse_above
from dashboards.tables import workload_table
from domain.signals import RuntimeProfile, Signal
from domain.workload import Workload


def fleet(targets: Sequence[tuple[Workload, RuntimeProfile]], where: Directory, options: DashboardOptions) -> Board:
    """One dashboard over all workloads, whatever their runtime."""
    profiles = tuple({profile.name: profile for _, profile in targets}.values())
    sections = [
        Section(title="At a glance", panels=glance(options)),
        Section(title="Cost", panels=spending()),
        Section(title="Workloads", panels=(table(where, profiles),)),
        Section(title="Out of the ordinary", panels=unusual.of_fleet()),
    ]
    if profiles:
        sections.append(
            Section(
                title="Load and promises",
                panels=(
                    *promises(targets, profiles),
                    *present([worst(targets)]),
                    alarms("Alerts by workload", "workload", quiet(profiles), matchers=ABOUT_ONE),
                ),
            )
        )
    return Board(
        uid=names.FLEET_UID,
        title="Trimtab / Fleet",
        description="What the fleet of models costs, what Trimtab proposes, and whether SLOs hold. A workload's name leads to its detail.",
        sections=tuple(sections),
        links=links(names.FLEET_UID),
        annotations=marks(severity="critical"),
        tags=(names.TAG,),
    )


def glance(options: DashboardOptions) -> tuple[Panel, ...]:
    """Six numbers."""
    return (
        stat("Workloads", "Workloads that have a recommendation, to act on or to hold.", "short",
             f"count(count by (workload) ({names.INFO}))"),
        stat("Cost now, USD/h", "Sum over the workloads whose present cost is known. What is not known is not in it.", "currencyUSD",
             f"sum({money.current()})"),
        stat("Proposed saving, USD/month", "Sum of the savings proposed, in dollars a month of 730 h. Below zero, holding the SLOs costs more than today.",
             "currencyUSD", f"sum({names.SAVING})", thresholds=SAVES),
        stat("Recommendations by state", "How many recommendations stand in which state.", "short",
             f"count by (state) ({names.INFO} == 1)", legend="{{state}}"),
        input_age(f"max({names.INPUT_AGE})", "any workload", options),
        failures(),
    )  # fmt: skip


def table(where: Directory, profiles: Sequence[RuntimeProfile]) -> Panel:
    """A line a workload."""
    alerts = of_each_workload(profiles)
    columns = (
        (f"max by (workload) ({names.RECOMMENDED})", "Replicas recommended", "short"),
        (money.current(), "Cost now, USD/h", "currencyUSD"),
        (money.proposed(), "Proposed, USD/h", "currencyUSD"),
        (f"sum by (workload) ({names.SAVING})", "Saving, USD/month", "currencyUSD"),
        (f"max by (workload) ({names.INPUT_AGE})", "Age of inputs", "s"),
        (f"max by (workload) ({names.PRICE_AGE})", "Age of prices", "s"),
        *(() if alerts is None else ((alerts, "Alerts", "short"),)),
    )
    return workload_table("Workloads and their recommendations", columns, where)


def promises(
    targets: Sequence[tuple[Workload, RuntimeProfile]], profiles: tuple[RuntimeProfile, ...]
) -> tuple[Panel, ...]:
    """Rate, errors, duration and replicas of the busiest and the worst, from the recorded series."""
    budget = min(workload.slo.budget for workload, _ in targets)
    patience = min(workload.slo.latency for workload, _ in targets).total_seconds()
    wanted = (
        (Signal.REQUEST_RATE, "Requests", f"Requests a second of the {MOST} busiest workloads.", "reqps", None),
        (Signal.ERROR_RATIO, "Errors", f"Share of requests that failed, of the {MOST} worst. The line is the strictest error budget of all workloads.", "percentunit", budget),
        (Signal.LATENCY, "Latency, 95th percentile", f"Seconds within which 95 % of requests were answered, of the {MOST} slowest. The line is the strictest latency SLO of all workloads.", "s", patience),
        (Signal.READY_REPLICAS, "Ready replicas", f"Replicas that answer as ready, of the {MOST} largest.", "short", None),
    )  # fmt: skip
    panels = []
    for signal, title, description, unit, bound in wanted:
        queries = tuple(query for profile in profiles if (query := ranked(profile, signal)) is not None)
        if queries:
            panels.append(
                Panel(
                    title=title,
                    description=description,
                    unit=unit,
                    queries=queries,
                    thresholds=worse_above(bound),
                    line=bound is not None,
                )
            )
    return tuple(panels)


def ranked(profile: RuntimeProfile, signal: Signal) -> Query | None:
    """The largest of a runtime's workloads: its recorded series where there is one; None if it has no such signal."""
    expr = profile.query(signal, {}, recorded=True) or profile.query(signal, {}, window="$__rate_interval")
    legend = ":".join(f"{{{{{label}}}}}" for label in profile.identity)
    return None if expr is None else Query(expr=f"topk({MOST}, {expr})", legend=legend)
