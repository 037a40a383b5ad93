"""How far each objective has come this month: spend and forecast against the budget, requests held against the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from domain.unknown import Unknown
from domain.workload import Workload
from trimtab.month import ORDINARY_DAYS, Attained, Days, Outlook, Spend, attained, outlook, spent
from trimtab.settings import ObjectiveSettings
from trimtab.store.days import DayFacts, DayStore
from trimtab.store.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One objective on a day. `target` and `budget_left` are None where none is set; `budget_left` is of what is known to be spent."""

    objective: ObjectiveSettings
    month: date
    workloads: int
    spend: Spend | Unknown
    forecast: Outlook | Unknown
    budget_left: float | Unknown | None
    attained: Attained | Unknown
    target: float | None
    review_due: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Objectives:
    """The objectives of the settings, over the store."""

    settings: Sequence[ObjectiveSettings]
    journal: Journal
    days: DayStore

    def progress(self, now: datetime) -> tuple[Progress, ...]:
        """Each objective as it stands at `now`, in the order of the settings."""
        if not self.settings:
            return ()
        today = now.astimezone(UTC).date()
        workloads = {workload.id: workload for workload in self.journal.workloads()}
        spend = self.days.spend(min(today.replace(day=1), today - timedelta(days=ORDINARY_DAYS)), today)
        facts = self.days.between(today.replace(day=1), today)
        scene = Scene(workloads=workloads, facts=facts, watched={row.workload for row in spend})
        return tuple(
            progress_of(each, scene, Days.of(scene.members(each), spend, now), today) for each in self.settings
        )

    def unseen(self, now: datetime) -> tuple[str, ...]:
        """A line for each objective of which no workload has been seen: its budget has no spend, and never will have if it is misspelt."""
        return tuple(
            f"objectives: {_nobody(each.objective).reason}; mend the name, or leave the objective out if that is gone"
            for each in self.progress(now)
            if not each.workloads
        )

    def fleet(self, now: datetime) -> tuple[Spend | Unknown, Outlook | Unknown]:
        """What all workloads have cost this month up to `now`, and what the month will come to."""
        today = now.astimezone(UTC).date()
        spend = self.days.spend(min(today.replace(day=1), today - timedelta(days=ORDINARY_DAYS)), today)
        days = Days.of({row.workload for row in spend}, spend, now)
        return spent(days), outlook(days)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known of workloads this month: as they are now, as their days were, and of which there are costs."""

    workloads: Mapping[str, Workload]
    facts: Sequence[DayFacts]
    watched: set[str]

    def members(self, objective: ObjectiveSettings) -> set[str]:
        """The workloads that the objective is about; one that is gone still counts for the team that it was of."""
        if objective.workload is not None:
            return {objective.workload} & (self.workloads.keys() | self.watched)
        gone = {day.workload for day in self.facts if day.team == objective.team} - self.workloads.keys()
        return gone | {workload.id for workload in self.workloads.values() if workload.team == objective.team}


def progress_of(objective: ObjectiveSettings, scene: Scene, days: Days, today: date) -> Progress:
    """The objective's month so far."""
    spend, ahead = _spend(objective, days), _ahead(objective, days)
    budget = objective.budget_usd_per_month
    return Progress(
        objective=objective,
        month=days.first,
        workloads=len(days.members),
        spend=spend,
        forecast=ahead,
        budget_left=None if budget is None else spend if isinstance(spend, Unknown) else budget - spend.usd,
        attained=attained([day for day in scene.facts if day.workload in days.members]),
        target=_target(objective, scene.workloads),
        review_due=objective.review_on is not None and today >= objective.review_on,
    )


def _spend(objective: ObjectiveSettings, days: Days) -> Spend | Unknown:
    return spent(days) if days.members else _nobody(objective)


def _ahead(objective: ObjectiveSettings, days: Days) -> Outlook | Unknown:
    return outlook(days) if days.members else _nobody(objective)


def _nobody(objective: ObjectiveSettings) -> Unknown:
    name = f"workload {objective.workload}" if objective.workload else f"workload of team {objective.team}"
    return Unknown(f"no {name} has been seen")


def _target(objective: ObjectiveSettings, workloads: Mapping[str, Workload]) -> float | None:
    """As set; a workload's own SLO where nothing is."""
    if objective.attainment is not None or objective.workload is None:
        return objective.attainment
    workload = workloads.get(objective.workload)
    return None if workload is None else workload.slo.attainment
