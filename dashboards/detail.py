"""The panels of one workload: demand against forecast, replicas, promises, resources, money, sight."""

from __future__ import annotations

from dashboards import money, names, outcomes, unusual
from dashboards.budgets import budget_panels
from dashboards.holding import alerts, promises
from dashboards.options import DashboardOptions
from dashboards.spec import Panel, Query, Section, present
from dashboards.stats import SAVES, ages, input_age, stat
from dashboards.subject import Subject, asked
from domain.signals import Signal

DRAWN = "0.5|0.9|plan"  # of a forecast: the middle, nearly the most, and what the plan holds


def sections(subject: Subject, options: DashboardOptions) -> tuple[Section, ...]:
    """All of a workload's sections; a panel that the runtime cannot answer is left out, an empty section too."""
    found = (
        Section(title="At a glance", panels=glance(subject, options)),
        Section(title="Demand and replicas", panels=present(demand(subject))),
        Section(title="Promises", panels=present(promises(subject))),
        Section(title="Budgets and alerts", panels=present([*budget_panels(subject.promised), alerts(subject)])),
        Section(
            title="Out of the ordinary, and what came of advice",
            panels=(unusual.of_workload(subject.own), outcomes.of_workload(subject.own)),
        ),
        Section(title="Resources of a replica", panels=present(resources(subject))),
        Section(title="Money and sight", panels=present(dollars(subject, options))),
    )
    return tuple(section for section in found if section.panels)


def glance(subject: Subject, options: DashboardOptions) -> tuple[Panel, ...]:
    """What stands now."""
    ready = subject.ask(Signal.READY_REPLICAS, 0.95)
    panels = [
        stat("Replicas recommended", "What KEDA or an adapter follows.", "short", f"max({names.RECOMMENDED}{{{subject.own}}})"),
        stat("Cost now, USD/h", "Dollars an hour as it runs, at the prices of the price book.", "currencyUSD",
            f"sum({money.current(subject.own)})"),
        stat("Proposed saving, USD/month", "Dollars a month of 730 h against today's configuration. Below zero, holding the SLO costs more than today.",
            "currencyUSD", f"sum({names.SAVING}{{{subject.own}}})", thresholds=SAVES),
        stat("State", "In which state the recommendation stands.", "short",
            f"max by (state) ({names.INFO}{{{subject.own}}} == 1)", legend="{{state}}", named=True),
        input_age(f"max({names.INPUT_AGE}{{{subject.own}}})", "the workload", options),
    ]  # fmt: skip
    if ready is not None:
        panels.insert(1, stat("Replicas ready", "Replicas that answer as ready.", "short", f"sum({ready})"))
    return tuple(panels)


def demand(subject: Subject) -> list[Panel]:
    """Arrivals against the forecast, replicas against the recommendation."""
    forecast = Query(
        expr=f'max by (quantile, horizon) ({names.FORECAST}{{{subject.own},quantile=~"{DRAWN}"}})',
        legend="forecast {{quantile}}, {{horizon}}",
    )
    ready = subject.ask(Signal.READY_REPLICAS, 0.95)
    carried = f"sum({ready}) * on () max({names.CAPACITY}{{{subject.own}}})"
    recommended = Query(expr=f"max({names.RECOMMENDED}{{{subject.own}}})", legend="recommended")
    return [
        Panel(
            title="Load and forecast",
            description="Requests a second as they arrive, and the forecast as it stood at each moment: its median, its 90 % quantile and the one that the plan holds, by how far it looked ahead. What the ready replicas carry within the SLO should lie above.",
            unit="reqps",
            queries=(
                *asked(subject, Signal.REQUEST_RATE, "load"),
                forecast,
                *(() if ready is None else (Query(expr=carried, legend="carried by what is ready"),)),
            ),
            height=9,
        ),
        Panel(
            title="Replicas",
            description="Ready replicas and the number recommended at each moment.",
            unit="short",
            queries=(*asked(subject, Signal.READY_REPLICAS, "ready"), recommended),
            steps=True,
            height=9,
        ),
        Panel(
            title="Tokens generated",
            description="Tokens a second over all replicas.",
            unit="short",
            queries=asked(subject, Signal.TOKEN_RATE, "tokens/s"),
        ),
    ]  # fmt: skip


def resources(subject: Subject) -> list[Panel]:
    """What a replica uses, and how long it takes to be there."""
    return [
        Panel(
            title="Processor",
            description="CPU cores used by one replica, mean over the replicas.",
            unit="short",
            decimals=2,
            queries=asked(subject, Signal.CPU_CORES, "cores"),
            width=8,
        ),
        Panel(
            title="Memory",
            description="Resident memory of the largest replica.",
            unit="bytes",
            queries=asked(subject, Signal.MEMORY_BYTES, "memory"),
            width=8,
        ),
        Panel(
            title="From start to ready",
            description="Seconds that replicas took to be ready, each as it reported it.",
            unit="s",
            queries=asked(subject, Signal.STARTUP_SECONDS, "start"),
            width=8,
        ),
    ]


def dollars(subject: Subject, options: DashboardOptions) -> list[Panel]:
    """Cost now and as proposed, what it buys, and the age of what it rests on."""
    rate = subject.ask(Signal.REQUEST_RATE, 0.95)
    cost = f"1000 * sum({money.current(subject.own)}) / (3600 * (sum({rate}) > 0))"
    return [
        Panel(
            title="Cost now and as proposed, USD/h",
            description="Dollars an hour at the prices of the price book, averaged over the load as forecast.",
            unit="currencyUSD",
            queries=(Query(expr=f"sum by (state) ({names.COST}{{{subject.own}}})", legend="{{state}}"),),
        ),
        Panel(
            title="Saving proposed, USD/month",
            description="Dollars a month, as it stood at each moment.",
            unit="currencyUSD",
            queries=(Query(expr=f"sum({names.SAVING}{{{subject.own}}})", legend="USD a month"),),
            thresholds=SAVES,
            least=None,
        ),
        Panel(
            title="Cost of a thousand requests, USD",
            description="Dollars, cost now over the requests that came. Idle replicas make it rise; with no request it is not defined.",
            unit="currencyUSD",
            decimals=4,
            queries=() if rate is None else (Query(expr=cost, legend="USD per 1000 requests"),),
        ),
        Panel(
            title="Age of inputs",
            description="Seconds since each signal was last answered. A signal that is not answered is never read as zero: it ages.",
            unit="s",
            queries=(Query(expr=f"max by (signal) ({names.INPUT_AGE}{{{subject.own}}})", legend="{{signal}}"),),
            thresholds=ages(options),
            line=True,
        ),
    ]
