"""Trimtab's own health: does it run, does it see, are its forecasts met, is anything of it alarming."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards import money, names
from dashboards.alarms import alarms, how_many, quiet
from dashboards.around import WINDOW, links, marks
from dashboards.options import DashboardOptions
from dashboards.spec import GRID, Board, Panel, Query, Section, Step
from dashboards.stats import MOST, NONE_WANTED, ages, input_age, stat
from domain.signals import RuntimeProfile

# What Prometheus knows of the process that exports our metrics, under whatever job it is scraped.
OURS = f"and on (job, instance) rate({names.CYCLE_FAILURES}[{WINDOW}])"
KNOWN = f"0 * max(rate({names.CYCLE_FAILURES}[{WINDOW}]))"  # 0 where Trimtab is seen at all, else nothing
# Half an hour before it ends, the rules tell of it.
ENDS = (Step(value=None, colour="red"), Step(value=0.0, colour="orange"), Step(value=1800.0, colour="green"))
OVER = (Step(value=None, colour="green"), Step(value=1.0, colour="orange"))


def health(profiles: Sequence[RuntimeProfile], options: DashboardOptions) -> Board:
    """One dashboard about Trimtab itself."""
    rest = quiet(profiles)
    return Board(
        uid=names.HEALTH_UID,
        title="Trimtab / Health",
        description="Whether Trimtab runs, how old its inputs are, how its cycles go, and whether load stays within its forecasts.",
        sections=(
            Section(title="At a glance", panels=glance(rest, options)),
            Section(title="Cycles", panels=cycles()),
            Section(title="Sight", panels=(*sight(options), *foresight(profiles))),
            Section(title="Alerts", panels=(alarms("Alerts over time", "alertname", rest, width=GRID),)),
            Section(title="The process", panels=process()),
        ),
        links=links(names.HEALTH_UID),
        annotations=marks(),
        tags=(names.TAG,),
    )


def glance(rest: str | None, options: DashboardOptions) -> tuple[Panel, ...]:
    """Six numbers; `rest` is what is known where no alert fires."""
    return (
        stat("Processes that answer", "Processes of Trimtab that Prometheus reaches; one is right.", "short",
             f"sum(up and on (job, instance) increase({names.CYCLE_FAILURES}[1h]))",
             thresholds=(Step(value=None, colour="red"), Step(value=1.0, colour="green"))),
        input_age(f"max({names.INPUT_AGE})", "any workload", options),
        failures(),
        stat("Until the first one expires", "Time that the recommendation that ends first still stands unless it is renewed; each cycle should. Below zero it has expired.",
             "s", f"min({names.VALID_UNTIL}) - time()", thresholds=ENDS),
        stat("Recommendations without sight", "Recommendations held because a source failed, or expired.", "short",
             f'sum({names.INFO}{{state=~"held|expired"}}) or {KNOWN}', thresholds=NONE_WANTED),
        stat("Alerts that fire", "Alerts of Trimtab's rules, about workloads and about itself. Without its rules in Prometheus there is no data.", "short",
             how_many(rest), thresholds=NONE_WANTED),
    )  # fmt: skip


def failures() -> Panel:
    """Failed cycles of a day."""
    return stat(
        "Cycles failed in a day",
        "Decision cycles that ended in an error over the last 24 hours.",
        "short",
        f"sum(increase({names.CYCLE_FAILURES}[1d]))",
        thresholds=NONE_WANTED,
    )


def cycles() -> tuple[Panel, ...]:
    """How long, how well, and with what outcome."""
    return (
        Panel(
            title="Length of a cycle",
            description="Seconds from waking up to the last file written.",
            unit="s",
            queries=(Query(expr=f"max({names.CYCLE_SECONDS})", legend="seconds"),),
            width=8,
        ),
        Panel(
            title="Failed cycles",
            description="Cycles that ended in an error, over the hour before each point.",
            unit="short",
            queries=(Query(expr=f"sum(increase({names.CYCLE_FAILURES}[1h]))", legend="failed in an hour"),),
            thresholds=NONE_WANTED,
            width=8,
        ),
        Panel(
            title="Recommendations over time",
            description="How many recommendations stood in which state.",
            unit="short",
            queries=(Query(expr=f"count by (state) ({names.INFO} == 1)", legend="{{state}}"),),
            steps=True,
            width=8,
        ),
    )


def sight(options: DashboardOptions) -> tuple[Panel, ...]:
    """Inputs by signal and by workload."""
    return (
        Panel(
            title="Age of inputs by signal",
            description="The stalest workload of each signal. A signal that is not answered is never read as zero: it ages.",
            unit="s",
            queries=(Query(expr=f"max by (signal) ({names.INPUT_AGE})", legend="{{signal}}"),),
            thresholds=ages(options),
            line=True,
            width=8,
        ),
        Panel(
            title="Age of inputs by workload",
            description=f"The stalest signal of each of the {MOST} workloads that are seen worst.",
            unit="s",
            queries=(Query(expr=f"topk({MOST}, max by (workload) ({names.INPUT_AGE}))", legend="{{workload}}"),),
            thresholds=ages(options),
            line=True,
            width=8,
        ),
    )


def foresight(profiles: Sequence[RuntimeProfile]) -> tuple[Panel, ...]:
    """How much of its forecast the load takes; nothing where no runtime tells a load."""
    planned = f'max by (workload) ({names.FORECAST}{{quantile="plan",horizon="lead"}}) > 0'
    loads = [found for profile in profiles if (found := money.load(profile)) is not None]
    if not loads:
        return ()
    return (
        Panel(
            title="Load over its forecast",
            description=f"Requests/s over the most that was forecast for the time a new replica needs, at the quantile of the plan; the {MOST} highest. Above 1, more came than was planned for.",
            unit="percentunit",
            queries=tuple(
                Query(expr=f"topk({MOST}, {load} / on (workload) ({planned}))", legend="{{workload}}") for load in loads
            ),
            thresholds=OVER,
            line=True,
            width=8,
        ),
    )


def process() -> tuple[Panel, ...]:
    """What the process uses, and how long it takes to answer a scrape."""
    return (
        Panel(
            title="Processor of Trimtab",
            description="CPU cores used by the process (deciding happens in processes of its own, which are not in it).",
            unit="short",
            decimals=2,
            queries=(Query(expr=f"rate(process_cpu_seconds_total[{WINDOW}]) {OURS}", legend="{{instance}}"),),
            width=8,
        ),
        Panel(
            title="Memory of Trimtab",
            description="Resident memory of the process.",
            unit="bytes",
            queries=(Query(expr=f"process_resident_memory_bytes {OURS}", legend="{{instance}}"),),
            width=8,
        ),
        Panel(
            title="Length of a scrape",
            description="Seconds that Trimtab took to answer Prometheus: it reads its store for each scrape.",
            unit="s",
            decimals=3,
            queries=(Query(expr=f"scrape_duration_seconds {OURS}", legend="{{instance}}"),),
            width=8,
        ),
    )
