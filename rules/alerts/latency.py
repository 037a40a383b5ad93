"""Latency: the objective's quantile now, and the pace at which the budget of slow requests is spent.

Of a language model also the first token and the time between two, where the promise names them.
"""

from __future__ import annotations

from datetime import timedelta

from domain.recorded import WINDOW
from domain.signals import Signal
from rules.alerts.burning import SECONDS, Late
from rules.model import Alert, Case, Category, Subject
from rules.promql import number
from rules.specimen import Flow, latency_s, traffic

WAIT = timedelta(minutes=5)
AT = timedelta(minutes=20)

REQUESTS = Late(
    alert="TrimtabLatencyBudgetBurn",
    summary="More requests are slow than the objective allows.",
    what="requests",
    signal=Signal.LATENCY,
    bound=lambda slo: slo.latency,
)
FIRST_TOKENS = Late(
    alert="TrimtabFirstTokenBudgetBurn",
    summary="More first tokens come late than the objective allows.",
    what="first tokens",
    signal=Signal.TIME_TO_FIRST_TOKEN,
    bound=lambda slo: slo.time_to_first_token,
)
TOKENS = Late(
    alert="TrimtabInterTokenBudgetBurn",
    summary="More tokens follow slowly than the objective allows.",
    what="tokens",
    signal=Signal.INTER_TOKEN_LATENCY,
    bound=lambda slo: slo.inter_token,
)


def latency_high(subject: Subject) -> Alert | None:
    """The quantile over five minutes is above the objective, on enough requests to believe it."""
    if not (subject.asks(Signal.LATENCY) and subject.asks(Signal.REQUEST_RATE)):
        return None
    slo = subject.workload.slo
    latency = subject.ask.now(Signal.LATENCY, quantile=slo.latency_quantile)
    floor, seconds = subject.options.min_requests, int(WINDOW.total_seconds())
    objective = number(slo.latency.total_seconds())
    percentile = f"p{number(100 * slo.latency_quantile)}"
    return Alert(
        name="TrimtabLatencyHigh",
        category=Category.LATENCY,
        severity="critical",
        expr=f"{latency} > {objective}\nand\n{subject.ask.now(Signal.REQUEST_RATE)} * {seconds} >= {floor}",
        known=latency,
        wait=WAIT,
        tail=subject.options.firing_tail,
        summary="Requests are answered more slowly than the objective allows.",
        description=f"<workload>: {percentile} latency over 5 minutes is <value> s; its objective is {objective} s.",
        value_template=SECONDS,
        labels=subject.identity,
        cases=_cases(subject),
    )


def _cases(subject: Subject) -> tuple[Case, ...]:
    slo, floor = subject.workload.slo, subject.options.min_requests
    slow = Flow(slow=1.0)
    printed = f"{latency_s(slo.latency.total_seconds(), slo.latency_quantile, slow):.3g}"
    fed = (
        ("fires when slow", slow.at(10.0 * floor), printed),
        ("is quiet within the objective", Flow().at(10.0 * floor), None),
        ("is quiet on low traffic", slow.at(0.1 * floor), None),
    )
    return tuple(Case(name=name, series=traffic(subject, flow, AT), at=AT, value=value) for name, flow, value in fed)
