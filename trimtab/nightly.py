"""The nightly report: a day's facts gathered from the store and the source, rendered, and stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from dashboards.report.model import DayCost, NightlyReport, PriceSource, Shortfall, WorkloadRow
from domain.artifact import Artifact
from domain.errors import TrimtabError
from domain.load import LoadHistory
from domain.plan import Act, Recommendation
from domain.prices import HOURS_PER_MONTH
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import ServingMode, Workload
from trimtab.present import most_telling
from trimtab.priceages import price_age, prices_used
from trimtab.records import Record
from trimtab.store.journal import DayCosts, Journal, StoredReport
from trimtab.store.recommendations import Recommendations

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
TREND_DAYS = 14
ENOUGH = 0.95  # share of a day that has to be known for a total of it

DayLoad = Callable[[Workload, Signal, datetime, datetime], LoadHistory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """Writes reports. `day_load` answers a signal over a day, or raises a TrimtabError."""

    recommendations: Recommendations
    journal: Journal
    day_load: DayLoad
    render: Callable[[NightlyReport], Sequence[Artifact]]
    base_url: str | None

    def catch_up(self, *, now: datetime) -> tuple[date, ...]:
        """Write the report of yesterday, and of earlier days that have costs but were missed."""
        today = now.astimezone(UTC).date()
        days = self.journal.days_without_report(today)
        for day in days:
            self.write(day, now=now)
        return days

    def write(self, day: date, *, now: datetime) -> tuple[Artifact, ...]:
        """Make, store and return the report of `day`."""
        artifacts = tuple(self.render(self.gather(day, now=now)))
        files = {artifact.path.suffix.removeprefix("."): artifact.text for artifact in artifacts}
        self.journal.keep_report(StoredReport(day=day, generated_at=now, files=files))
        log.info("wrote the report of %s", day)
        return artifacts

    def gather(self, day: date, *, now: datetime) -> NightlyReport:
        """Everything the report of `day` says."""
        costs = self.journal.costs(day - TREND_DAYS * DAY, day)
        by_day = {(cost.day, cost.workload): cost for cost in costs}
        workloads = {workload.id: workload for workload in self.journal.workloads()}
        records = tuple(self._in_force(day))
        rows = [self._row(record, workloads.get(record.recommendation.workload), day, by_day) for record in records]
        return NightlyReport(
            date=day,
            generated_at=now,
            rows=tuple(rows),
            price_sources=tuple(sorted({price for record in records for price in _sources(record)}, key=str)),
            trend=tuple(_trend(costs, day)),
            shortfalls=tuple(_shortfalls(records, by_day, day)),
            base_url=self.base_url,
        )

    def _in_force(self, day: date) -> Iterable[Record]:
        end = _start(day) + DAY
        for newest in self.recommendations.newest():
            record = self.recommendations.in_force(newest.recommendation.workload, end)
            if record is not None:
                yield record

    def _row(
        self,
        record: Record,
        workload: Workload | None,
        day: date,
        costs: Mapping[tuple[date, str], DayCosts],
    ) -> WorkloadRow:
        recommendation = record.recommendation
        current = recommendation.current
        ended = recommendation.valid_until <= _start(day)  # the source failed so long that nothing stands any more
        act = recommendation if isinstance(recommendation, Act) and not ended else None
        held = Unknown(_last_stood(recommendation) if ended else "nothing is proposed while it is held")
        load = self._signal(workload, Signal.REQUEST_RATE, day)
        replicas = self._replicas(record, workload, day)
        return WorkloadRow(
            workload=recommendation.workload,
            recommendation_id=recommendation.id,
            kind="hold" if act is None else "act",
            mode=current if isinstance(current, Unknown) else current.mode,
            proposed_mode=held if act is None else act.plan.proposed.mode,
            replicas=replicas,
            proposed_replicas=held if act is None else act.plan.proposed.mean_replicas,
            cost=_cost(record, costs.get((day, recommendation.workload))),
            previous_cost=_kept(costs.get((day - DAY, recommendation.workload)), day - DAY),
            proposed_cost=held if act is None else act.plan.proposed.usd_per_month * 24.0 / HOURS_PER_MONTH,
            saving=held if act is None else act.saving,
            requests=_requests(load),
            missed_share=Unknown("requests over the latency SLO are not counted yet"),
            error_budget=workload.slo.budget if workload else Unknown("the workload is gone"),
            idle_share=_idle(load, replicas, record),
            price_age=price_age(recommendation.evidence, day),
            load=load,
            failed_share=_failed(load, self._signal(workload, Signal.ERROR_RATIO, day)),
            reasons=most_telling(recommendation.reasons),
            needs=None
            if act
            else f"a new decision: {_last_stood(recommendation)}"
            if ended
            else _needs(recommendation),
            team=workload.team if workload else None,
        )

    def _signal(self, workload: Workload | None, signal: Signal, day: date) -> LoadHistory | Unknown:
        if workload is None:
            return Unknown("the workload is gone")
        try:
            return self.day_load(workload, signal, _start(day), _start(day) + DAY)
        except TrimtabError as fault:
            return Unknown(str(fault))

    def _replicas(self, record: Record, workload: Workload | None, day: date) -> float | Unknown:
        """Mean of the day as measured; where nothing measures it, what was running at the decision."""
        seen = self._signal(workload, Signal.READY_REPLICAS, day)
        if isinstance(seen, LoadHistory) and seen.coverage >= ENOUGH:
            return float(np.nanmean(seen.values))
        current = record.recommendation.current
        return current if isinstance(current, Unknown) else float(current.mean_replicas)


def _last_stood(recommendation: Recommendation) -> str:
    return f"the last recommendation was valid until {recommendation.valid_until:%Y-%m-%d %H:%M} UTC"


def _needs(recommendation: Recommendation) -> str | None:
    return None if isinstance(recommendation, Act) else recommendation.needs


def _cost(record: Record, kept: DayCosts | None) -> float | Unknown:
    """The mean of the day's cycles; for a day without any, that of the configuration seen nearest to it."""
    current = record.recommendation.current
    if kept is not None:
        return kept.usd
    return current if isinstance(current, Unknown) else current.usd_per_month * 24.0 / HOURS_PER_MONTH


def _shortfalls(
    records: Sequence[Record], costs: Mapping[tuple[date, str], DayCosts], day: date
) -> Iterable[Shortfall]:
    """Of how many workloads the day's cost is not its own, or rests on a part of the day."""
    names = [record.recommendation.workload for record in records]
    without = [name for name in names if (day, name) not in costs]
    if without:
        reason = (
            f"no cycle looked at {len(without)} of {len(names)} workloads on {day}: "
            "their cost is that of the configuration seen nearest to it"
        )
        yield Shortfall(section="costs", reason=reason)
    known = [costs[day, name] for name in names if (day, name) in costs]
    seen = [cost.covered for cost in known if not isinstance(cost.usd, Unknown)]
    partly = [covered for covered in seen if not isinstance(covered, Unknown) and covered < ENOUGH]
    if partly:
        reason = (
            f"cycles saw only a part of {day} (of some workload {min(partly):.0%}): "
            f"the cost of {len(partly)} of {len(names)} workloads is 24 hours at the mean of that part"
        )
        yield Shortfall(section="costs", reason=reason)


def _start(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _kept(cost: DayCosts | None, day: date) -> float | Unknown:
    return Unknown(f"no cycle ran on {day}") if cost is None else cost.usd


def _trend(costs: Sequence[DayCosts], day: date) -> Iterable[DayCost]:
    """The fleet's cost of the last days; a day of which any part is unknown is unknown."""
    for back in range(TREND_DAYS - 1, -1, -1):
        one = day - back * DAY
        parts = [cost.usd for cost in costs if cost.day == one]
        known = [part for part in parts if not isinstance(part, Unknown)]
        if not parts:
            yield DayCost(day=one, cost=Unknown(f"no cycle ran on {one}"))
        elif len(known) < len(parts):
            yield DayCost(day=one, cost=Unknown(f"the cost of {len(parts) - len(known)} workloads is not known"))
        else:
            yield DayCost(day=one, cost=sum(known))


def _requests(load: LoadHistory | Unknown) -> float | Unknown:
    """Requests of the day: the mean of what is known, over the whole day; too large a gap leaves it unknown."""
    if isinstance(load, Unknown):
        return load
    if load.coverage < ENOUGH:
        return Unknown(f"only {load.coverage:.0%} of the day's load is known")
    return float(np.nanmean(load.values)) * len(load) * load.step_s


def _failed(load: LoadHistory | Unknown, errors: LoadHistory | Unknown) -> float | Unknown:
    """Share of the day's requests that failed: the ratio of each step weighted by its load, where both are known.

    A step in which nothing came has no ratio, and needs none.
    """
    if isinstance(load, Unknown):
        return load
    if isinstance(errors, Unknown):
        return errors
    idle = load.values == 0
    both = np.isfinite(load.values) & np.isfinite(errors.values) & ~idle
    arrived = float(load.values[both].sum())
    if (both | idle).mean() < ENOUGH or arrived <= 0:
        return Unknown("too little of the day's load or errors is known, or nothing arrived")
    return float((load.values * errors.values)[both].sum()) / arrived


def _sources(record: Record) -> tuple[PriceSource, ...]:
    """Source and date of each price that the recommendation rests on."""
    return tuple(
        PriceSource(name=price.source, as_of=price.as_of) for price in prices_used(record.recommendation.evidence)
    )


def _idle(load: LoadHistory | Unknown, replicas: float | Unknown, record: Record) -> float | Unknown:
    """Part of the paid capacity that did no work; serverless pays for none that is idle."""
    current = record.recommendation.current
    rate = record.recommendation.evidence.capacity.get("rate_rps")
    if isinstance(load, Unknown):
        return load
    if isinstance(current, Unknown) or isinstance(replicas, Unknown) or not isinstance(rate, int | float):
        return Unknown("the capacity that ran is not known")
    if current.mode is ServingMode.SERVERLESS or load.coverage < ENOUGH or replicas * rate <= 0:
        return Unknown("there is no capacity of its own, or too little of the load is known")
    return max(0.0, 1.0 - float(np.nanmean(load.values)) / (replicas * rate))
