"""The detail of one workload: demand against forecast, replicas, promises, resources, money, sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dashboards import money, names
from dashboards.around import WINDOW, links, marks
from dashboards.directory import Directory, alias_uid, runtime_uid
from dashboards.health import input_age
from dashboards.identity import as_variables, variables
from dashboards.spec import Board, Panel, Query, Section
from dashboards.stats import AGES, SAVES, stat, worse_above, worse_below
from domain.signals import RuntimeProfile, Signal, selector
from domain.workload import Slo, Workload

QUANTILES = (0.5, 0.95, 0.99)
DRAWN = "0.5|0.9|plan"  # of a forecast: the middle, nearly the most, and what the plan holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom a dashboard is about: its matcher in our own metrics, and how its runtime is asked for a signal.

    `ask(signal, quantile)` is None where the runtime does not know the signal. `slo` is the strictest
    of all workloads that the dashboard can show.
    """

    own: str
    ask: Callable[[Signal, float], str | None]
    slo: Slo


def workload_boards(targets: Sequence[tuple[Workload, RuntimeProfile]], where: Directory) -> tuple[Board, ...]:
    """One dashboard for each runtime, and one for each workload whose id does not hold its labels."""
    profiles = {profile.name: profile for _, profile in targets}
    by_runtime = [
        of_runtime(profile, [workload.slo for workload, its in targets if its.name == profile.name], where)
        for profile in profiles.values()
        if runtime_uid(profile) in where.uids.values()
    ]
    aliases = [
        of_alias(workload, profile) for workload, profile in targets if where.uids[workload.id] == alias_uid(workload)
    ]
    return (*by_runtime, *aliases)


def of_runtime(profile: RuntimeProfile, slos: Sequence[Slo], where: Directory) -> Board:
    """Follows `$workload` through all workloads of a runtime."""
    labels = as_variables(profile)

    def ask(signal: Signal, quantile: float) -> str | None:
        return profile.query(signal, labels, window=WINDOW, quantile=quantile)

    uid = runtime_uid(profile)
    return Board(
        uid=uid,
        title=f"Trimtab / Workload on {profile.name}",
        description="One workload: its demand, what is recommended and why it pays, and whether it holds its SLO.",
        sections=sections(Subject(own=names.OF_WORKLOAD, ask=ask, slo=strictest(slos))),
        variables=variables(profile, where.matcher(uid)),
        links=links(uid),
        annotations=marks(names.OF_WORKLOAD),
        tags=(names.TAG, names.WORKLOAD_TAG),
    )


def of_alias(workload: Workload, profile: RuntimeProfile) -> Board:
    """For a workload under a name of its own: its labels are written out."""
    own = selector({names.WORKLOAD: workload.id})

    def ask(signal: Signal, quantile: float) -> str | None:
        return profile.query(signal, workload.labels, window=WINDOW, quantile=quantile)

    return Board(
        uid=alias_uid(workload),
        title=f"Trimtab / Workload {workload.id}",
        description=f"The workload {workload.id}: its demand, what is recommended, and whether it holds its SLO.",
        sections=sections(Subject(own=own, ask=ask, slo=workload.slo)),
        links=links(alias_uid(workload)),
        annotations=marks(own),
        tags=(names.TAG, names.WORKLOAD_TAG),
    )


def strictest(slos: Sequence[Slo]) -> Slo:
    """The smallest budget and the shortest latency; the default where there is no workload."""
    if not slos:
        return Slo()
    return Slo(
        attainment=max(slo.attainment for slo in slos),
        latency=min(slo.latency for slo in slos),
        min_accuracy=max((slo.min_accuracy for slo in slos if slo.min_accuracy is not None), default=None),
    )


def sections(subject: Subject) -> tuple[Section, ...]:
    """All of a workload's sections; a panel that the runtime cannot answer is left out, an empty section too."""
    found = (
        Section(title="At a glance", panels=glance(subject)),
        Section(title="Demand and replicas", panels=present(demand(subject))),
        Section(title="Promises", panels=present(promises(subject))),
        Section(title="Resources of a replica", panels=present(resources(subject))),
        Section(title="Money and sight", panels=present(dollars(subject))),
    )
    return tuple(section for section in found if section.panels)


def present(panels: Sequence[Panel]) -> tuple[Panel, ...]:
    """Those that ask anything."""
    return tuple(panel for panel in panels if panel.queries)


def asked(subject: Subject, signal: Signal, legend: str, quantile: float = 0.95) -> tuple[Query, ...]:
    """The signal's query, none where the runtime has no such signal."""
    expr = subject.ask(signal, quantile)
    return () if expr is None else (Query(expr=expr, legend=legend),)


def glance(subject: Subject) -> tuple[Panel, ...]:
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
        input_age(f"max({names.INPUT_AGE}{{{subject.own}}})", title="Oldest input", description="Age of its stalest signal; older than 15 minutes nothing is decided on it."),
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
    recommended = Query(expr=f"max({names.RECOMMENDED}{{{subject.own}}})", legend="recommended")
    return [
        Panel(
            title="Load and forecast",
            description="Requests a second as they arrive, and the forecast as it stood at each moment: its median, its 90 % quantile and the one that the plan holds, by how far it looked ahead.",
            unit="reqps",
            queries=(*asked(subject, Signal.REQUEST_RATE, "load"), forecast),
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


def promises(subject: Subject) -> list[Panel]:
    """Errors, latency, queues, quality, each against its bound."""
    slo = subject.slo
    latency = tuple(
        query for q in QUANTILES for query in asked(subject, Signal.LATENCY, f"{100 * q:g} % within", quantile=q)
    )
    waiting = (*asked(subject, Signal.IN_FLIGHT, "being answered"), *asked(subject, Signal.QUEUE, "waiting"))
    return [
        Panel(
            title="Share of requests that fail",
            description="Failed requests over all requests. The line is the error budget (the strictest one where the dashboard serves many workloads).",
            unit="percentunit",
            queries=asked(subject, Signal.ERROR_RATIO, "failed"),
            thresholds=worse_above(slo.budget),
            line=True,
        ),
        Panel(
            title="Latency",
            description="Seconds within which half, 95 % and 99 % of requests were answered, interpolated between histogram buckets. The line is the latency SLO (the strictest one where the dashboard serves many workloads).",
            unit="s",
            queries=latency,
            thresholds=worse_above(slo.latency.total_seconds()),
            line=True,
        ),
        Panel(
            title="Time to the first token",
            description="Seconds within which 95 % of requests got their first token.",
            unit="s",
            queries=asked(subject, Signal.TIME_TO_FIRST_TOKEN, "95 % within"),
        ),
        Panel(
            title="Requests under way",
            description="Requests being answered and, where the runtime tells, requests waiting.",
            unit="short",
            queries=waiting,
        ),
        Panel(
            title="Accuracy of the model",
            description="Share of labelled predictions that were right, from the model-quality exporter.",
            unit="percentunit",
            queries=asked(subject, Signal.ACCURACY, "accuracy"),
            thresholds=worse_below(slo.min_accuracy),
            line=slo.min_accuracy is not None,
        ),
    ]


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


def dollars(subject: Subject) -> list[Panel]:
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
            thresholds=AGES,
            line=True,
        ),
    ]
