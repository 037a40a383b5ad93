"""Capacity: what is forecast for the time a new replica needs, against what is ready now."""

from __future__ import annotations

from datetime import timedelta

from domain.signals import Signal
from rules.model import Alert, Case, Category, Series, Subject
from rules.names import CAPACITY_RPS, FORECAST_LOAD
from rules.promql import ask, series
from rules.specimen import Flow, constant, traffic

AT = timedelta(minutes=15)


def forecast_over_capacity(subject: Subject) -> Alert | None:
    """The load forecast within the time-to-ready is more than the ready replicas carry within the SLO."""
    if not subject.asks(Signal.READY_REPLICAS):
        return None
    ready = ask(subject.profile, Signal.READY_REPLICAS, subject.identity)
    return Alert(
        name="TrimtabForecastOverCapacity",
        category=Category.CAPACITY,
        severity="warning",
        expr=f"max({_forecast(subject)})\n> max({ready}) * max({_capacity(subject)})",
        wait=timedelta(minutes=2),
        tail=subject.options.firing_tail,
        summary="More load is forecast than the ready replicas carry.",
        description=(
            "<workload>: <value> requests/s are forecast before another replica could be ready, "
            "more than the ready replicas carry within the SLO."
        ),
        value_template='{{ printf "%.3g" $value }}',
        labels={},
        cases=tuple(
            Case(name=name, series=_facts(subject, load), at=AT, value=value)
            for name, load, value in (
                ("fires when more is forecast than is ready", 21.0, "21"),
                ("is quiet when the ready replicas carry it", 19.0, None),
                ("is quiet without a forecast", None, None),
            )
        ),
    )


def _facts(subject: Subject, load: float | None) -> tuple[Series, ...]:
    """Two ready replicas of 10 requests/s, and a forecast."""
    flow = Flow(requests_per_minute=600, ready=2)
    facts = (*traffic(subject, flow, AT), constant(_capacity(subject), 10, AT))
    return facts if load is None else (*facts, constant(_forecast(subject), load, AT))


def _forecast(subject: Subject) -> str:
    options = subject.options
    labels = {"workload": subject.workload.id, "quantile": options.plan_quantile, "horizon": options.lead_horizon}
    return series(FORECAST_LOAD, labels)


def _capacity(subject: Subject) -> str:
    return series(CAPACITY_RPS, {"workload": subject.workload.id})
