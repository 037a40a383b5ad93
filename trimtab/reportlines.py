"""Objectives, the fleet's month, the ledger and alerts as the lines that a report shows."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.report.aims import AlertLine, MonthLine, Range, Realised, Share
from domain.ledger import LedgerNight, totals_of
from domain.unknown import Unknown
from trimtab.month import Attained, Outlook, Spend
from trimtab.notify import labels_of
from trimtab.objectives import Progress
from trimtab.store.events import NEWS, Episode
from trimtab.store.journal import Alert


def fleet_line(spend: Spend | Unknown, ahead: Outlook | Unknown) -> MonthLine:
    """All workloads together."""
    return MonthLine(whose="all workloads", spent=_usd(spend), spent_whole=_whole(spend), forecast=_range(ahead))


def objective_line(progress: Progress) -> MonthLine:
    """One objective."""
    objective = progress.objective
    return MonthLine(
        whose=objective.workload or f"team {objective.team}",
        spent=_usd(progress.spend),
        spent_whole=_whole(progress.spend),
        forecast=_range(progress.forecast),
        budget=objective.budget_usd_per_month,
        attained=_share(progress.attained),
        target=progress.target,
        goal=objective.goal,
        owner=objective.owner,
        stakeholders=objective.stakeholders,
        review_on=objective.review_on,
        review_due=progress.review_due,
    )


def _share(held: Attained | Unknown) -> Share | Unknown:
    return held if isinstance(held, Unknown) else Share(share=held.share, known=held.known, of=held.of)


def _usd(spend: Spend | Unknown) -> float | Unknown:
    return spend if isinstance(spend, Unknown) else spend.usd


def _whole(spend: Spend | Unknown) -> bool:
    return not isinstance(spend, Unknown) and spend.whole


def _range(ahead: Outlook | Unknown) -> Range | Unknown:
    return (
        ahead
        if isinstance(ahead, Unknown)
        else Range(amount=ahead.usd, low=ahead.low, high=ahead.high, known=ahead.known, of=ahead.of)
    )


def realised(nights: Sequence[LedgerNight]) -> Realised:
    """What was promised and what came of it over these nights of the ledger."""
    totals = totals_of(nights)
    return Realised(
        promised=totals.promised_usd, realised=totals.realised_usd, known=totals.known_nights, of=totals.nights
    )


def alert_lines(alerts: Sequence[Alert], own: Sequence[Episode]) -> tuple[AlertLine, ...]:
    """What asks for something, the critical first: alerts as Alertmanager told of them, and of our `own` those that it did not tell of."""
    told = [_as_told(alert) for alert in alerts if alert.labels.get("severity") != NEWS]
    known = {(line.name, line.workload) for line in told}
    ours = [line for line in map(_as_found, own) if (line.name, line.workload) not in known]
    return tuple(sorted([*told, *ours], key=lambda line: (line.severity != "critical", line.starts_at)))


def _as_told(alert: Alert) -> AlertLine:
    return AlertLine(
        name=alert.labels.get("alertname", ""),
        severity=alert.labels.get("severity", ""),
        workload=alert.labels.get("workload"),
        team=alert.labels.get("team"),
        starts_at=alert.starts_at,
        ends_at=alert.ends_at if alert.status == "resolved" else None,
        summary=alert.annotations.get("description") or alert.annotations.get("summary") or "",
    )


def _as_found(episode: Episode) -> AlertLine:
    event = episode.event
    labels = labels_of(event)
    return AlertLine(
        name=labels["alertname"],
        severity=event.severity,
        workload=labels.get("workload"),
        team=None,
        starts_at=event.at,
        ends_at=episode.ended_at,
        summary=event.detail or event.summary,
    )
