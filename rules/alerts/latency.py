"""Latency: the objective's quantile now, and the pace at which the budget of slow requests is spent.

Of a language model also the first token and the time between two, where the promise names them.
"""

from __future__ import annotations

from datetime import timedelta

from domain.signals import Signal
from rules.alerts.burning import QUICKLY, SECONDS, SLOWLY, Promise, burn, late
from rules.model import Alert, Case, Category, Subject
from rules.promql import WINDOW, number
from rules.specimen import Flow, latency_s, traffic

WAIT = timedelta(minutes=5)
AT = timedelta(minutes=20)


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


def latency_budget_burn_fast(subject: Subject) -> Alert | None:
    """At this pace the month's slow requests are used up within days: somebody has to act now."""
    return burn(subject, _requests(subject), QUICKLY)


def latency_budget_burn_slow(subject: Subject) -> Alert | None:
    """At this pace the month sees more slow requests than promised: somebody has to act this week."""
    return burn(subject, _requests(subject), SLOWLY)


def first_token_budget_burn_fast(subject: Subject) -> Alert | None:
    """Far too many first tokens come late."""
    return burn(subject, _first_tokens(subject), QUICKLY)


def first_token_budget_burn_slow(subject: Subject) -> Alert | None:
    """First tokens come late a little too often."""
    return burn(subject, _first_tokens(subject), SLOWLY)


def inter_token_budget_burn_fast(subject: Subject) -> Alert | None:
    """Far too many tokens follow slowly."""
    return burn(subject, _tokens(subject), QUICKLY)


def inter_token_budget_burn_slow(subject: Subject) -> Alert | None:
    """Tokens follow slowly a little too often."""
    return burn(subject, _tokens(subject), SLOWLY)


def _requests(subject: Subject) -> Promise | None:
    return late(
        subject,
        Signal.LATENCY,
        subject.workload.slo.latency,
        alert="TrimtabLatencyBudgetBurn",
        summary="More requests are slow than the objective allows.",
        what="requests",
    )


def _first_tokens(subject: Subject) -> Promise | None:
    return late(
        subject,
        Signal.TIME_TO_FIRST_TOKEN,
        subject.workload.slo.time_to_first_token,
        alert="TrimtabFirstTokenBudgetBurn",
        summary="More first tokens come late than the objective allows.",
        what="first tokens",
    )


def _tokens(subject: Subject) -> Promise | None:
    return late(
        subject,
        Signal.INTER_TOKEN_LATENCY,
        subject.workload.slo.inter_token,
        alert="TrimtabInterTokenBudgetBurn",
        summary="More tokens follow slowly than the objective allows.",
        what="tokens",
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
