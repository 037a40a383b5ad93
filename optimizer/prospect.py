"""What lies ahead of a workload before any plan: the price of attainment, what to promise, and a schedule alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from domain.load import LoadHistory
from domain.plan import CalendarStep, Json, Plan, Reason
from domain.prices import HOURS_PER_MONTH
from domain.workload import ServingMode
from optimizer.calendar import CalendarOptions
from optimizer.frontier import Frontier, FrontierPoint, frontier, no_curve
from optimizer.incidents import Incident, incidents
from optimizer.modes import Infeasible
from optimizer.options import Options
from optimizer.outlook import Outlook
from optimizer.promise import Promise, promise
from optimizer.proposal import Proposal
from optimizer.scaling import Decisions, ScalingProblem
from optimizer.schedule import Schedule, schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """None where it cannot be had: no price of a replica, no load, or (`promise`) a miss that is priced in dollars.

    `no_curve` is why there is no curve where a replica has a price.
    """

    curve: Frontier | None = None
    promise: Promise | None = None
    week: Schedule | None = None
    lost: tuple[Incident, ...] = ()
    no_curve: str | None = None

    @property
    def steps(self) -> tuple[CalendarStep, ...]:
        """The week's schedule; empty where there is none."""
        return () if self.week is None else self.week.steps

    def reasons(self, mode: ServingMode) -> tuple[Reason, ...]:
        """What can be promised; where misses are priced, at which price. Serverless has no replicas to promise for."""
        if mode is ServingMode.SERVERLESS:
            return ()
        if self.promise is not None:
            return (self.promise.reason(), *(each.reason() for each in self.lost))
        if self.no_curve is not None:
            detail = f"what can be promised at what cost is not known: {self.no_curve}"
            return (Reason(code="slo_unknown", detail=detail),)
        if self.curve is None:
            return ()
        raised = ", the least that is reckoned with, for what was given comes to less" if self.curve.raised else ""
        return (
            Reason(
                code="miss_priced",
                detail=f"a missed request is weighed at {self.curve.usd_per_missed_request_now:.3g} USD{raised}: quantile "
                f"{self.curve.quantile_now:.5f}, in place of an attainment to hold",
            ),
        )


def prospect_of(outlook: Outlook, proposal: Proposal, options: Options) -> Prospect:
    """The prospect of a workload at what a dedicated replica costs; empty where none is priced or no replay is asked for."""
    usd = replica_usd_per_hour(proposal)
    if usd is None or not options.replay.policies:
        return Prospect()
    return prospect(
        outlook.load,
        outlook.problem,
        outlook.decisions,
        first=len(outlook.load) - len(outlook.recent),
        usd_per_replica_hour=usd,
        weighed_usd_per_hour=outlook.weighed_usd_per_hour,
        options=options.calendar,
    )


def scheduled_too(plan: Plan, ahead: Prospect) -> Plan:
    """The plan with the schedule that would serve alone, where it has replicas of its own to schedule."""
    return replace(plan, schedule=ahead.steps) if plan.proposed.mode is ServingMode.DEDICATED else plan


def replica_usd_per_hour(proposal: Proposal) -> float | None:
    """What a dedicated replica costs an hour as quoted; None where dedicated machines are not to be had."""
    dedicated = proposal.answers[ServingMode.DEDICATED]
    if isinstance(dedicated, Infeasible) or dedicated.mean_replicas <= 0:
        return None
    return dedicated.usd_per_month / HOURS_PER_MONTH / dedicated.mean_replicas


def prospect(
    history: LoadHistory,
    problem: ScalingProblem,
    decisions: Decisions,
    /,
    *,
    first: int,
    usd_per_replica_hour: float,
    options: CalendarOptions,
    weighed_usd_per_hour: float | None = None,
) -> Prospect:
    """The prospect from `decisions` made on `history` (requests/s), the curve scored from step `first` on.

    `weighed_usd_per_hour` is the price of a replica at which a missed request was weighed, where that is not the one paid.
    """
    curve = frontier(
        history,
        problem,
        decisions,
        first=first,
        usd_per_replica_hour=usd_per_replica_hour,
        weighed_usd_per_hour=weighed_usd_per_hour,
    )
    priced = problem.price_of_miss is not None
    return Prospect(
        curve=curve,
        promise=None if curve is None or priced else promise(history, problem, curve),
        week=schedule(history, problem, options),
        lost=incidents(history, problem, decisions, first=first),
        no_curve=no_curve(history, first=first) if curve is None else None,
    )


def as_json(ahead: Prospect) -> dict[str, Json]:
    """`curve` (or `curve_unknown` with why), `promise`, `schedule` and `incidents`; what cannot be had is absent."""
    body: dict[str, Json] = {}
    if ahead.curve is not None:
        body["curve"] = _curve(ahead.curve)
    if ahead.no_curve is not None:
        body["curve_unknown"] = ahead.no_curve
    if ahead.promise is not None:
        body["promise"] = _promise(ahead.promise)
    if ahead.week is not None:
        body["schedule"] = _schedule(ahead.week)
    if ahead.promise is not None:
        body["incidents"] = [_incident(each) for each in ahead.lost]
    return body


def _curve(curve: Frontier) -> Mapping[str, Json]:
    return {
        "points": [_point(point) for point in curve.compact()],
        "live": _point(curve.live),
        "chosen": {
            "usd_per_missed_request": _digits(curve.usd_per_missed_request_now),
            "quantile": _digits(curve.quantile_now, 8),
            "set_by": "usd_per_missed_request" if curve.given else "error budget",
            "why": curve.why,
        },
        "hours": curve.hours,
    }


def _point(point: FrontierPoint) -> Mapping[str, Json]:
    return {
        "usd_per_missed_request": _digits(point.usd_per_missed_request),
        "quantile": _digits(point.quantile, 8),
        "replica_hours": _digits(point.replica_hours),
        "usd": _digits(point.usd),
        "missed_share": _digits(point.missed_share),
        "attainment": _digits(point.attainment, 8),
    }


def _promise(said: Promise) -> Mapping[str, Json]:
    return {
        "wanted": said.wanted,
        "reachable": said.reachable,
        "held": said.held,
        "advised": said.advised,
        "unforeseeable_share": _digits(said.unforeseeable),
        "missed_share": _digits(said.missed),
        "least_missed_share": _digits(said.least_missed),
        "usd_per_month_live": _digits(said.usd_per_month_live),
        "usd_per_month_wanted": _known(said.usd_per_month_wanted),
        "usd_per_month_advised": _known(said.usd_per_month_advised),
        "usd_per_month_dearest": _digits(said.usd_per_month_dearest),
    }


def _schedule(week: Schedule) -> Mapping[str, Json]:
    return {
        "start": _moment(week.start),
        "detail": week.detail,
        "missed_share_on_the_past": _known(week.missed_share),
        "within_budget_on_the_past": week.within,
        "steps": [{"at": _moment(step.at), "replicas": step.replicas} for step in week.steps],
    }


def _incident(lost: Incident) -> Mapping[str, Json]:
    return {
        "start": _moment(lost.start),
        "end": _moment(lost.end),
        "missed_requests": _digits(lost.missed_requests),
        "missed_share": _digits(lost.missed_share),
        "written_off_share": _digits(lost.written_off_share),
    }


def _known(value: float | None) -> float | None:
    return None if value is None else _digits(value)


def _digits(value: float, digits: int = 6) -> float:
    return float(f"{value:.{digits}g}")


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
