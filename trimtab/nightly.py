"""The nightly report: a day's facts gathered from the store and the source, rendered, and stored."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from dashboards.report.aims import AlertLine
from dashboards.report.model import DayCost, NightlyReport, PriceSource, Shortfall, WorkloadRow
from domain.artifact import Artifact
from domain.errors import NoData, TrimtabError
from domain.load import LoadHistory
from domain.plan import Act, Recommendation
from domain.prices import HOURS_PER_MONTH, PriceBook
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import Workload
from trimtab import dayfacts
from trimtab.charges import charged, model_of
from trimtab.dayfacts import ENOUGH
from trimtab.objectives import Objectives
from trimtab.present import most_telling
from trimtab.priceages import price_age, prices_used
from trimtab.records import Record
from trimtab.reportlines import alert_lines, fleet_line, objective_line, realised
from trimtab.store.days import DayFacts
from trimtab.store.journal import DayCosts, Journal, StoredReport
from trimtab.store.recommendations import Recommendations
from trimtab.unusual import unusual

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
TREND_DAYS = 14
NEAR = timedelta(days=8)  # from a midnight to the first look after it: what ran then is taken for what ran on the day
NEVER_HEARD = Unknown(
    "Alertmanager has not told of any alert yet, which needs POST /alerts/webhook as a receiver; "
    "here stands what Trimtab saw by itself"
)

DayLoad = Callable[[Workload, Signal, datetime, datetime], LoadHistory]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A report as files: the texts, and the page on paper (or why there is none)."""

    texts: tuple[Artifact, ...]
    pdf: bytes | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class Nightly:
    """Writes reports. `day_load` answers a signal over a day, or raises a TrimtabError; `threads` ask it at a time.

    `counts_tokens` names the runtimes that tell of tokens, `billing_account` whom the cloud bills; the reports of the
    last `keep_nights` stay stored.
    """

    recommendations: Recommendations
    journal: Journal
    objectives: Objectives
    day_load: DayLoad
    book: PriceBook
    render: Callable[[NightlyReport], Sequence[Artifact]]
    paper: Callable[[NightlyReport], bytes | Unknown]
    base_url: str | None
    keep_nights: int
    counts_tokens: frozenset[str] = frozenset()
    billing_account: str | None = None
    threads: int = 1

    def catch_up(self, *, now: datetime) -> tuple[date, ...]:
        """Write the report of yesterday, and of earlier days that have costs but were missed; then forget the oldest."""
        today = now.astimezone(UTC).date()
        first = today - self.keep_nights * DAY
        days = self.journal.days_without_report(first, today)
        for day in days:
            self.write(day, now=now)
        self.journal.prune_reports(first)
        return days

    def write(self, day: date, *, now: datetime) -> Written:
        """Make, store and return the report of `day`."""
        report = self.gather(day, now=now)
        written = Written(texts=tuple(self.render(report)), pdf=self.paper(report))
        self.journal.keep_report(StoredReport(day=day, generated_at=now, files=_files(written, day)))
        log.info("wrote the report of %s", day)
        return written

    def gather(self, day: date, *, now: datetime) -> NightlyReport:
        """Everything the report of `day` says; what is known of its workloads is kept for the month's reckoning."""
        costs = self.journal.costs(day - TREND_DAYS * DAY, day)
        by_day = {(cost.day, cost.workload): cost for cost in costs}
        workloads = {workload.id: workload for workload in self.journal.workloads()}
        records = self.recommendations.in_force(_start(day) + DAY)
        _need_looks_near(day, records, costs)
        with ThreadPoolExecutor(max_workers=self.threads) as threads:
            rows = tuple(
                threads.map(lambda r: self._row(r, workloads.get(r.recommendation.workload), day, by_day), records)
            )
        self.objectives.days.keep([_facts(row, day) for row in rows])
        until = min(now.astimezone(UTC), datetime.combine(day, time.max, UTC))
        currents = {record.recommendation.workload: record.recommendation.current for record in records}
        covered = {name: by_day[day, name].covered for name in currents if (day, name) in by_day}
        charges, left_out = charged(rows, currents, workloads, self.book, covered)
        earlier = _earlier(costs, day)
        nights = self.journal.nights.between(day.replace(day=1), day)
        return NightlyReport(
            date=day,
            generated_at=now,
            rows=rows,
            price_sources=tuple(sorted({price for record in records for price in _sources(record)}, key=str)),
            trend=tuple(_trend(costs, day)),
            shortfalls=tuple(_shortfalls(records, by_day, day)),
            month=fleet_line(*self.objectives.fleet(until)),
            objectives=tuple(map(objective_line, self.objectives.progress(until))),
            realised_day=realised([night for night in nights if night.night == day]),
            realised_month=realised(nights),
            unusual=tuple(unusual({row.workload: row.cost for row in rows}, earlier)),
            alerts=self._alerts(day),
            alerts_lack=None if self.journal.alerts(limit=1) else NEVER_HEARD,
            charges=charges,
            left_out=left_out,
            billing_account=self.billing_account,
            base_url=self.base_url,
        )

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
        errors = self._signal(workload, Signal.ERROR_RATIO, day)
        replicas = self._replicas(record, workload, day)
        seen = costs.get((day, recommendation.workload))
        return WorkloadRow(
            workload=recommendation.workload,
            recommendation_id=recommendation.id,
            kind="hold" if act is None else "act",
            mode=current if isinstance(current, Unknown) else current.mode,
            proposed_mode=held if act is None else act.plan.proposed.mode,
            replicas=replicas,
            proposed_replicas=held if act is None else act.plan.proposed.mean_replicas,
            cost=_cost(record, seen),
            previous_cost=_kept(costs.get((day - DAY, recommendation.workload)), day - DAY),
            proposed_cost=held if act is None else act.plan.proposed.usd_per_month * 24.0 / HOURS_PER_MONTH,
            saving=held if act is None else act.saving,
            requests=dayfacts.total(load, "load"),
            missed_share=self._missed(workload, load, errors, day),
            error_budget=workload.slo.budget if workload else Unknown("the workload is gone"),
            idle_share=dayfacts.idle(load, replicas, current, recommendation.evidence.capacity.get("rate_rps")),
            price_age=price_age(recommendation.evidence, day),
            load=load,
            failed_share=dayfacts.failed(load, errors),
            covered=0.0 if seen is None else seen.covered,
            tokens=self._tokens(workload, day),
            reasons=most_telling(recommendation.reasons),
            needs=None
            if act
            else f"a new decision: {_last_stood(recommendation)}"
            if ended
            else _needs(recommendation),
            team=workload.team if workload else None,
            model=model_of(workload) if workload else None,
        )

    def _alerts(self, day: date) -> tuple[AlertLine, ...]:
        """Those of the day, as Alertmanager told of them and as we saw them."""
        start, end = _start(day), _start(day) + DAY
        return alert_lines(self.journal.alerts_between(start, end), self.journal.events.between(start, end))

    def _signal(self, workload: Workload | None, signal: Signal, day: date) -> LoadHistory | Unknown:
        if workload is None:
            return Unknown("the workload is gone")
        try:
            return self.day_load(workload, signal, _start(day), _start(day) + DAY)
        except TrimtabError as fault:
            return Unknown(str(fault))

    def _missed(
        self, workload: Workload | None, load: LoadHistory | Unknown, errors: LoadHistory | Unknown, day: date
    ) -> float | Unknown:
        if workload is None:
            return Unknown("the workload is gone")
        return dayfacts.missed(load, errors, self._signal(workload, Signal.SLOW_RATIO, day), workload.slo)

    def _tokens(self, workload: Workload | None, day: date) -> float | Unknown | None:
        """None where the runtime tells of none."""
        if workload is None or workload.runtime not in self.counts_tokens:
            return None
        return dayfacts.tokens(
            self._signal(workload, signal, day) for signal in (Signal.TOKEN_RATE, Signal.PROMPT_TOKEN_RATE)
        )

    def _replicas(self, record: Record, workload: Workload | None, day: date) -> float | Unknown:
        """Mean of the day as measured; where nothing measures it, what was running at the decision."""
        seen = self._signal(workload, Signal.READY_REPLICAS, day)
        if isinstance(seen, LoadHistory) and seen.coverage >= ENOUGH:
            return float(np.nanmean(seen.values))
        current = record.recommendation.current
        return current if isinstance(current, Unknown) else float(current.mean_replicas)


def _files(written: Written, day: date) -> dict[str, str]:
    """The texts by what follows the date in their names; the PDF in base 64, for the store keeps text."""
    files = {artifact.path.name.partition(f"{day.isoformat()}.")[2]: artifact.text for artifact in written.texts}
    if isinstance(written.pdf, Unknown):
        log.warning("the report of %s has no PDF: %s", day, written.pdf.reason)
        return files
    return files | {"pdf": b64encode(written.pdf).decode("ascii")}


def _need_looks_near(day: date, records: Sequence[Record], costs: Sequence[DayCosts]) -> None:
    """NoData for a day long before anything was known: what ran weeks later says nothing of it."""
    begun = min((record.recommendation.created_at for record in records), default=None)
    if begun is not None and begun > _start(day) + NEAR and not costs:
        fix = f"give a day from {begun - NEAR:%Y-%m-%d} on"
        raise NoData("the store", f"knows nothing of {day}: the first look is of {begun:%Y-%m-%d}", fix)


def _facts(row: WorkloadRow, day: date) -> DayFacts:
    return DayFacts(day=day, workload=row.workload, team=row.team, requests=row.requests, missed_share=row.missed_share)


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


def _earlier(costs: Sequence[DayCosts], day: date) -> dict[str, list[float]]:
    """Of each workload the known costs of the days before, oldest first."""
    earlier: dict[str, list[float]] = {}
    for cost in costs:
        if cost.day < day and not isinstance(cost.usd, Unknown):
            earlier.setdefault(cost.workload, []).append(cost.usd)
    return earlier


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
            yield DayCost(day=one, cost=Unknown("no cycle ran"))
        elif len(known) < len(parts):
            yield DayCost(day=one, cost=Unknown(f"the cost of {len(parts) - len(known)} workloads is not known"))
        else:
            yield DayCost(day=one, cost=sum(known))


def _sources(record: Record) -> tuple[PriceSource, ...]:
    """Source and date of each price that the recommendation rests on."""
    return tuple(
        PriceSource(name=price.source, as_of=price.as_of) for price in prices_used(record.recommendation.evidence)
    )
