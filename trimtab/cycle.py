"""One cycle: load, recommend, store, emit, notify. Time enters here and nowhere else.

A source that fails takes nothing away: the last good recommendations stay, marked held, until
they expire. A workload of which nothing was ever known is held without a number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

from domain.errors import NoData, SourceError, TrimtabError
from domain.observation import Observation
from domain.plan import Act, Recommendation
from domain.ports import Event, Notifier
from domain.workload import Workload
from optimizer.placement import placement_in
from trimtab.anomalies import anomalies
from trimtab.bookkeeping import ARTIFACTS, cost_of, cost_unknown, events_of, held_without_a_number, record_of
from trimtab.decide import Decided, Failed
from trimtab.following import following
from trimtab.inputs import Grounds, Remember
from trimtab.ledger import worse_events
from trimtab.news import proposals, report_written
from trimtab.records import Held, Record, Status, no_place_before
from trimtab.store.journal import CycleNote, Journal
from trimtab.store.recommendations import Recommendations

log = logging.getLogger(__name__)


class Fleet(Protocol):
    """The workloads and the facts about them; what fails is a TrimtabError."""

    def workloads(self, now: datetime) -> Sequence[Workload]:
        """The workloads to decide on."""
        ...

    def observe(self, workload: Workload, now: datetime) -> Observation:
        """Everything one decision sees; `observed_at` is before `now` for a recording."""
        ...


DecideAll = Callable[[Sequence[Observation], Mapping[str, Recommendation], Mapping[str, datetime]], Sequence[Decided]]
Emit = Callable[[Sequence[Workload], Sequence[Record]], None]
Strange = Callable[[Iterable[Record], datetime], Iterable[Event]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a cycle came to: every current record, and what went wrong, by workload ("" for all)."""

    at: datetime
    records: tuple[Record, ...]
    problems: Mapping[str, TrimtabError]

    @property
    def failure(self) -> str | None:
        """One line, None for a cycle without problems."""
        return "; ".join(f"{name}: {text}" if name else str(text) for name, text in self.problems.items()) or None


@dataclass(slots=True, kw_only=True)
class Cycle:
    """`run` is safe to call again and again; it raises only StoreError, when nothing can be remembered."""

    fleet: Fleet
    decide_all: DecideAll
    recommendations: Recommendations
    journal: Journal
    remember: Remember
    emit: Emit
    notify: Notifier
    stopwatch: Callable[[], float]
    strange: Strange = anomalies
    unseen: Callable[[datetime], Iterable[str]] = lambda _now: ()
    concurrency: int = 4
    progress: Callable[[str], None] = field(default=log.info)

    def run(self, *, now: datetime) -> Outcome:
        """Decide on every workload at `now`."""
        began, outcome = self.stopwatch(), None
        try:
            outcome, fresh = self._decided(now)
            self._notify(outcome)
        finally:
            if outcome is None:  # a fault of the program or the store: it is counted, and goes on to the log
                outcome, fresh = Outcome(at=now, records=(), problems={"": TrimtabError("the cycle broke off")}), []
            self._note(outcome, fresh, self.stopwatch() - began)
        return outcome

    def _decided(self, now: datetime) -> tuple[Outcome, list[Record]]:
        """What the cycle came to, and the records that are fresh."""
        before = {record.recommendation.workload: record for record in self.recommendations.newest()}
        workloads, observations, problems = self._load(now, before)
        fresh, grounds = self._recommend(observations, before, problems, now)
        self._store(fresh, workloads, before, problems, now)
        for line in self.unseen(now) if workloads else ():
            log.warning("%s", line)
        self._remember(grounds, now)
        records = self.recommendations.newest()
        self._emit(workloads, records, problems, now)
        return Outcome(at=now, records=records, problems=problems), fresh

    def _load(
        self, now: datetime, before: Mapping[str, Record]
    ) -> tuple[Sequence[Workload], list[Observation], dict[str, TrimtabError]]:
        """The facts, as far as they could be had, and why not where they could not."""
        self.progress("reading which workloads there are")
        try:
            workloads = self.fleet.workloads(now)
        except TrimtabError as fault:
            log.warning("%s", fault)
            return (), [], {"": fault}
        self.progress(f"reading the history of {len(workloads)} workloads")
        with ThreadPoolExecutor(max_workers=self.concurrency) as threads:
            answers = list(threads.map(lambda workload: self._observe(workload, now), workloads))
        problems = {
            workload.id: answer
            for workload, answer in zip(workloads, answers, strict=True)
            if isinstance(answer, TrimtabError)
        }
        gone = before.keys() - {workload.id for workload in workloads}
        missing = NoData(
            "the source", "no longer has this workload, nor have the settings", "nothing to mend if it was retired"
        )
        problems |= dict.fromkeys(sorted(gone), missing)
        return workloads, [answer for answer in answers if isinstance(answer, Observation)], problems

    def _observe(self, workload: Workload, now: datetime) -> Observation | TrimtabError:
        try:
            return self.fleet.observe(workload, now)
        except TrimtabError as fault:
            log.warning("%s: %s", workload.id, fault)
            return fault

    def _recommend(
        self,
        observations: Sequence[Observation],
        before: Mapping[str, Record],
        problems: dict[str, TrimtabError],
        now: datetime,
    ) -> tuple[list[Record], list[Grounds]]:
        """A record of each decision, and what it was decided on."""
        self.progress(f"deciding on {len(observations)} workloads")
        # A recording stands still: decided again it must give the same, so it has no "previous".
        live = {o.workload.id for o in observations if o.observed_at == now}
        recorded = {o.workload.id for o in observations} - live
        previous = {name: record.recommendation for name, record in before.items() if name not in recorded}
        declined = {name: at for name in previous if (at := no_place_before(before[name])) is not None}
        fresh, grounds = [], []
        for observation, decided in zip(observations, self.decide_all(observations, previous, declined), strict=True):
            if isinstance(decided, Failed):
                problems[decided.workload] = TrimtabError(decided.problem)
                continue
            record = record_of(decided, observation, now)
            stood = before.get(decided.workload) if decided.workload in live else None
            fresh.append(_followed(record, stood, observation, now))
            grounds.append(
                Grounds(
                    recommendation=record.recommendation.id,
                    observation=observation,
                    previous=previous.get(decided.workload),
                    placement=placement_in(decided),
                )
            )
        return fresh, grounds

    def _store(
        self,
        fresh: Sequence[Record],
        workloads: Sequence[Workload],
        before: Mapping[str, Record],
        problems: Mapping[str, TrimtabError],
        now: datetime,
    ) -> None:
        """Fresh ones supersede; what could not be renewed is held; what was never known is held without a number."""
        self.recommendations.keep(fresh)
        if workloads:
            self.journal.keep_workloads(workloads)
        everything = problems.get("")
        for name in before:
            reason = everything or problems.get(name)
            if reason:
                self.recommendations.hold([name], Held(since=now, reason=str(reason)))
        known = {workload.id for workload in workloads}
        expired = [name for name, record in before.items() if record.status(now) is Status.EXPIRED]
        if not everything:
            self.recommendations.retire([name for name in expired if name not in known])
        unknown = [name for name in problems if name in known and name not in before]
        self.recommendations.keep([held_without_a_number(name, str(problems[name]), now) for name in unknown])
        failed = dict.fromkeys(before, everything) if everything else {n: p for n, p in problems.items() if n in known}
        unseen = [cost_unknown(name, str(problem)) for name, problem in failed.items()]
        costs = [*(cost_of(record.recommendation) for record in fresh), *unseen]
        self.journal.add_costs(now.astimezone(UTC).date(), costs)

    def _remember(self, grounds: Sequence[Grounds], now: datetime) -> None:
        """Keep what the fresh ones rest on, and then forget what nothing rests on any more."""
        self.remember(grounds)
        self.recommendations.prune(now)
        self.journal.prune(now)

    def _emit(
        self, workloads: Sequence[Workload], records: Iterable[Record], problems: dict[str, TrimtabError], now: datetime
    ) -> None:
        valid = [record for record in records if record.status(now) is not Status.EXPIRED]
        try:
            if workloads:
                self.emit(workloads, valid)
        except TrimtabError as fault:
            log.warning("artifacts: %s", fault)
            problems[ARTIFACTS] = fault

    def _notify(self, outcome: Outcome) -> None:
        """Tell of everything that is wrong or new now, and once of everything that is no longer."""
        open_before = {event.key: event for event in self.journal.events.going_on()}
        today = outcome.at.astimezone(UTC).date()
        told = (
            *events_of(outcome.records, outcome.problems, outcome.at),
            *worse_events(self.journal.nights.standing(today), outcome.at),
            *proposals(outcome.records, outcome.at),
            *report_written(self.journal, outcome.at),
            *self.strange(outcome.records, outcome.at),
        )
        current = {event.key: event for event in told}
        for key, event in current.items():
            since = open_before[key].at if key in open_before else event.at
            self.journal.events.begin(replace(event, at=since))
            self._tell(replace(event, at=since))
        for key, event in open_before.items():
            if key not in current and self._tell(replace(event, over=True)):
                self.journal.events.end(key, outcome.at)

    def _tell(self, event: Event) -> bool:
        """Whether it could be told; an Alertmanager that is away must not stop the cycle."""
        try:
            self.notify(event)
        except SourceError as fault:
            log.warning("%s", fault)
            return False
        return True

    def _note(self, outcome: Outcome, fresh: Sequence[Record], duration_s: float) -> None:
        acts = sum(isinstance(record.recommendation, Act) for record in fresh)
        self.journal.note_cycle(
            CycleNote(
                at=outcome.at,
                duration_s=duration_s,
                acts=acts,
                holds=len(fresh) - acts,
                kept=len(outcome.records) - len(fresh),
                failure=outcome.failure,
            )
        )
        self.progress(f"decided on {len(fresh)} workloads in {duration_s:.1f} s")


def _followed(record: Record, stood: Record | None, observation: Observation, now: datetime) -> Record:
    """The fresh record with whether what runs follows the proposals; a recording stands still and follows nothing."""
    if observation.observed_at != now:
        return record
    before, name = (None, "") if stood is None else (stood.following, stood.recommendation.id)
    state = following(before, name, observation, record.recommendation, now)
    return replace(record, following=state, applied_at=None if state is None else state.applied_at)
