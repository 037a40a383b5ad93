"""Capacity: what is forecast for the time a new replica needs, against what is ready now and what may ever be."""

from __future__ import annotations

from datetime import timedelta

from domain.signals import Signal
from domain.workload import ScaleTarget
from rules.model import Alert, Case, Category, Series, Subject
from rules.names import CAPACITY_RPS, FORECAST_LOAD, HPA_INFO, HPA_MAX
from rules.promql import number, series
from rules.specimen import Flow, constant, traffic

AT = timedelta(minutes=15)
EACH_RPS = 10.0  # what a replica of the unit tests carries
LOAD = '{{ printf "%.3g" $value }}'


def forecast_over_capacity(subject: Subject) -> Alert | None:
    """The load forecast within the time-to-ready is more than the ready replicas carry within the SLO."""
    if not subject.asks(Signal.READY_REPLICAS):
        return None
    ready = subject.ask.now(Signal.READY_REPLICAS)
    forecast, carried = f"max({_forecast(subject)})", f"max({ready}) * max({_capacity(subject)})"
    return Alert(
        name="TrimtabForecastOverCapacity",
        category=Category.CAPACITY,
        severity="warning",
        expr=f"{forecast}\n> {carried}",
        known=f"{forecast} * {carried}",
        wait=timedelta(minutes=2),
        tail=subject.options.firing_tail,
        summary="More load is forecast than the ready replicas carry.",
        description=(
            "<workload>: <value> requests/s are forecast before another replica could be ready, "
            "more than the ready replicas carry within the SLO."
        ),
        value_template=LOAD,
        labels={},
        cases=tuple(
            Case(name=name, series=_facts(subject, 2, load), at=AT, value=value)
            for name, load, value in (
                ("fires when more is forecast than is ready", 21.0, "21"),
                ("is quiet when the ready replicas carry it", 19.0, None),
                ("is quiet without a forecast", None, None),
            )
        ),
    )


def at_maximum(subject: Subject) -> Alert | None:
    """Every replica that is allowed is ready, and more is forecast than they carry: only a person can allow more.

    Being at the maximum alone is no alert: most of the time it suffices.
    """
    most = _most(subject)
    if most is None or not subject.asks(Signal.READY_REPLICAS):
        return None
    forecast, capacity = f"max({_forecast(subject)})", f"max({_capacity(subject)})"
    ready = f"max({subject.ask.now(Signal.READY_REPLICAS)})"
    allowed = subject.workload.bounds.max_replicas or 2
    over, under = EACH_RPS * allowed + 1, EACH_RPS * allowed - 1
    return Alert(
        name="TrimtabAtMaximum",
        category=Category.CAPACITY,
        severity="warning",
        expr=f"{forecast}\n> {most} * {capacity}\nand\n{ready} >= {most}",
        known=f"{forecast} * {ready} * {capacity} * {most}",
        wait=timedelta(minutes=5),
        tail=subject.options.firing_tail,
        summary="More load is forecast than the most replicas allowed carry.",
        description=(
            "<workload>: <value> requests/s are forecast before another replica could be ready; "
            "the maximum is reached, and does not carry that within the SLO."
        ),
        value_template=LOAD,
        labels={},
        cases=tuple(
            Case(name=name, series=_facts(subject, ready_now, load), at=AT, value=value)
            for name, ready_now, load, value in (
                ("fires at a maximum that does not suffice", allowed, over, f"{over:.3g}"),
                ("is quiet at a maximum that suffices", allowed, under, None),
                ("is quiet below the maximum", allowed - 1, over, None),
                ("is quiet without a forecast", allowed, None, None),
            )
        ),
    )


def _most(subject: Subject) -> str | None:
    """PromQL for the replicas that are allowed: the autoscaler's own maximum, else that of the settings."""
    target, bound = _in_kubernetes(subject), subject.workload.bounds.max_replicas
    known = [] if target is None else [_of_autoscaler(target, label) for label in ("namespace", "exported_namespace")]
    known += [] if bound is None else [f"vector({number(bound)})"]
    return f"({' or '.join(known)})" if known else None


def _in_kubernetes(subject: Subject) -> ScaleTarget | None:
    """What a HorizontalPodAutoscaler may scale; an ECS service has none."""
    target = subject.workload.target
    return target if target is not None and target.in_kubernetes else None


def _of_autoscaler(target: ScaleTarget, namespace: str) -> str:
    """The maximum of the HorizontalPodAutoscaler that scales `target`, whatever it is called (KEDA's too)."""
    where = {namespace: target.namespace}
    info = series(HPA_INFO, {**where, "scaletargetref_kind": target.kind, "scaletargetref_name": target.name})
    return f"max({series(HPA_MAX, where)} * on ({namespace}, horizontalpodautoscaler) group_left () {info})"


def _facts(subject: Subject, ready: int, load: float | None) -> tuple[Series, ...]:
    """Ready replicas of 10 requests/s each, their autoscaler where there is one, and a forecast."""
    facts = [*traffic(subject, Flow(requests_per_minute=600, ready=ready), AT)]
    facts.append(constant(_capacity(subject), EACH_RPS, AT))
    target = _in_kubernetes(subject)
    if target is not None:
        hpa = {"namespace": target.namespace, "horizontalpodautoscaler": target.name}
        scaled = {"scaletargetref_kind": target.kind, "scaletargetref_name": target.name}
        facts.append(constant(series(HPA_MAX, hpa), subject.workload.bounds.max_replicas or 2, AT))
        facts.append(constant(series(HPA_INFO, hpa | scaled), 1, AT))
    return (*facts, *([] if load is None else [constant(_forecast(subject), load, AT)]))


def _forecast(subject: Subject) -> str:
    options = subject.options
    labels = {"workload": subject.workload.id, "quantile": options.plan_quantile, "horizon": options.lead_horizon}
    return series(FORECAST_LOAD, labels)


def _capacity(subject: Subject) -> str:
    return series(CAPACITY_RPS, {"workload": subject.workload.id})
