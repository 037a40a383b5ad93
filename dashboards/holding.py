"""Whether a workload holds what it promised: errors, latency, queues, quality, budgets, alerts."""

from __future__ import annotations

from datetime import timedelta

from dashboards.alarms import alarms, quiet
from dashboards.spec import Panel
from dashboards.stats import worse_above, worse_below
from dashboards.subject import Subject, asked
from domain.signals import Signal

QUANTILES = (0.5, 0.95, 0.99)


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
            description="Seconds within which 95 % of requests got their first token. A line is the SLO (the strictest one where the dashboard serves many workloads).",
            unit="s",
            queries=asked(subject, Signal.TIME_TO_FIRST_TOKEN, "95 % within"),
            thresholds=worse_above(seconds(slo.time_to_first_token)),
            line=slo.time_to_first_token is not None,
        ),
        Panel(
            title="Time between two tokens",
            description="Seconds within which the next token came, for 95 % of them. The line is the SLO (the strictest one where the dashboard serves many workloads).",
            unit="s",
            decimals=3,
            queries=() if slo.inter_token is None else asked(subject, Signal.INTER_TOKEN_LATENCY, "95 % within"),
            thresholds=worse_above(seconds(slo.inter_token)),
            line=True,
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


def alerts(subject: Subject) -> Panel:
    """What fires about it."""
    rest = quiet([subject.promised.profile], subject.promised.labels)
    return alarms("Alerts", "alertname", rest, matchers=subject.own, width=8)


def seconds(bound: timedelta | None) -> float | None:
    """A bound of the SLO as a threshold."""
    return None if bound is None else bound.total_seconds()
