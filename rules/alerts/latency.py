"""Latency: the objective's quantile, from the buckets of all replicas together."""

from __future__ import annotations

from datetime import timedelta

from domain.signals import Signal
from rules.model import Alert, Case, Category, Subject
from rules.promql import WINDOW, ask, number
from rules.specimen import Flow, slow_latency_s, traffic

WAIT = timedelta(minutes=5)
AT = timedelta(minutes=20)


def latency_high(subject: Subject) -> Alert | None:
    """The quantile over five minutes is above the objective, on enough requests to believe it."""
    if not (subject.asks(Signal.LATENCY) and subject.asks(Signal.REQUEST_RATE)):
        return None
    slo = subject.workload.slo
    latency = ask(subject.profile, Signal.LATENCY, subject.identity, quantile=slo.latency_quantile)
    rate = ask(subject.profile, Signal.REQUEST_RATE, subject.identity)
    floor, seconds = subject.options.min_requests, int(WINDOW.total_seconds())
    objective = number(slo.latency.total_seconds())
    percentile = f"p{number(100 * slo.latency_quantile)}"
    return Alert(
        name="TrimtabLatencyHigh",
        category=Category.LATENCY,
        severity="critical",
        expr=f"{latency} > {objective}\nand\n{rate} * {seconds} >= {floor}",
        wait=WAIT,
        tail=subject.options.firing_tail,
        summary="Requests are answered more slowly than the objective allows.",
        description=f"<workload>: {percentile} latency over 5 minutes is <value> s; its objective is {objective} s.",
        value_template='{{ printf "%.3g" $value }}',
        labels=subject.identity,
        cases=_cases(subject),
    )


def _cases(subject: Subject) -> tuple[Case, ...]:
    busy, idle = 10.0 * subject.options.min_requests, 0.1 * subject.options.min_requests
    slow = f"{slow_latency_s(subject):.3g}"
    fed = (
        ("fires when slow", Flow(requests_per_minute=busy, slow=True), slow),
        ("is quiet within the objective", Flow(requests_per_minute=busy), None),
        ("is quiet on low traffic", Flow(requests_per_minute=idle, slow=True), None),
    )
    return tuple(Case(name=name, series=traffic(subject, flow, AT), at=AT, value=value) for name, flow, value in fed)
