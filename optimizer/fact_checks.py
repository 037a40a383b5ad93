"""Facts of a workload that are no signal over time: measured, declared, or assumed for want of either."""

from __future__ import annotations

from domain.capacity import ReadyBasis
from domain.health import Checked, Finding, State
from domain.observation import Observation
from domain.unknown import Unknown
from optimizer.readiness import span


def fact_checks(observation: Observation) -> tuple[Checked, ...]:
    """How long a start and a request take, and what runs today."""
    return (_time_to_ready(observation), _service_time(observation), _running(observation))


def _time_to_ready(observation: Observation) -> Checked:
    ready = observation.time_to_ready
    said = f"{span(ready.p90)} (nine of ten), {ready.detail}"
    if ready.basis is not ReadyBasis.ASSUMED:
        return Checked(subject=observation.workload.id, input="time_to_ready", said=said)
    finding = Finding(
        code="assumed",
        state=State.WARNING,
        detail=f"{span(ready.p90)} are assumed, for want of a start that was seen",
        fix="declare time_to_ready_s of the workload, or scrape kube-state-metrics and name its target",
    )
    return Checked(subject=observation.workload.id, input="time_to_ready", said=finding.detail, findings=(finding,))


def _service_time(observation: Observation) -> Checked:
    seconds = observation.service_time_s
    if not isinstance(seconds, Unknown):
        return Checked(subject=observation.workload.id, input="service_time", said=f"{seconds:.3g} s a request")
    return _unknown(observation, "service_time", seconds, "declare service_time_ms of the workload")


def _running(observation: Observation) -> Checked:
    running = observation.running
    if not isinstance(running, Unknown):
        said = f"{running.replicas} x {running.offer}, {running.mode.value}"
        return Checked(subject=observation.workload.id, input="running", said=said)
    return _unknown(observation, "running", running, "declare `offer`, and `replicas` where no metric counts them")


def _unknown(observation: Observation, name: str, why: Unknown, fix: str) -> Checked:
    finding = Finding(code="not_known", state=State.WARNING, detail=why.reason, fix=fix)
    return Checked(subject=observation.workload.id, input=name, said=why.reason, findings=(finding,))
