"""The ledger: each night of what was taken up is booked once, promised against realised.

Its first night is the first whole day (UTC) after it was taken up, its last the one a year later. Nights that were
missed are caught up; a night that is booked stays as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from domain.errors import BadAnswer, NoData, SourceUnavailable, StoreError
from domain.ledger import Ledger, LedgerNight, ledger_of
from domain.observation import Observation
from domain.ports import Event
from domain.prices import PriceBook
from domain.unknown import Unknown
from domain.workload import Workload
from optimizer.guardrails import GuardrailOptions
from optimizer.ledger import Night, Taken, book, unbookable
from trimtab.store.inputs import InputStore
from trimtab.store.journal import Journal
from trimtab.store.nights import Standing
from trimtab.store.recommendations import Recommendations
from trimtab.takenup import BOOKED_FOR, DAY, TakenRecord, chain

log = logging.getLogger(__name__)

CAUGHT_UP = 31 * DAY  # nights further back are not caught up
ASKED_AGAIN = 7 * DAY  # a night that the source does not answer for is asked for again until it is this old
WEEK = 7 * DAY


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A night of which nothing could be had, and why."""

    workload: Workload
    night: date
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookkeeper:
    """Books nights. `observe` gives everything known of a workload at a moment; SourceError."""

    recommendations: Recommendations
    journal: Journal
    inputs: InputStore
    observe: Callable[[Workload, datetime], Observation]
    book: PriceBook
    noise: GuardrailOptions

    def between(self, first: date, last: date, workload: str | None = None) -> Ledger:
        """The rows of the nights from `first` to `last` and their sums; the nights not booked (yet) have none."""
        return ledger_of(self.journal.nights.between(first, last, workload))

    def catch_up(self, *, now: datetime) -> tuple[LedgerNight, ...]:
        """Book every night that has ended and is not booked yet, oldest first; those that were booked now.

        A source that cannot be reached ends it for this time: the next run goes on from there.
        """
        taken, booked = self._taken(now), list[LedgerNight]()
        try:
            for workload in self.journal.workloads():
                mine = [each for each in taken if each.act.workload == workload.id]
                if mine:
                    booked.extend(self._book(workload, mine, now))
        except SourceUnavailable as fault:
            log.warning("the ledger is not booked to the end: %s", fault)
        if booked:
            log.info("booked %d nights of the ledger", len(booked))
        return tuple(booked)

    def _taken(self, now: datetime) -> list[TakenRecord]:
        records = self.recommendations.taken_up(now - BOOKED_FOR - CAUGHT_UP)
        return [taken for record in records if (taken := TakenRecord.of(record))]

    def _book(self, workload: Workload, taken: Sequence[TakenRecord], now: datetime) -> Iterator[LedgerNight]:
        """Book what is missing of one workload's nights; a night is left for later where the source is to be asked again."""
        today = now.astimezone(UTC).date()
        first = max(min(each.nights_from for each in taken), today - CAUGHT_UP)
        known = list(self.journal.nights.between(first - WEEK, today, workload.id))
        for night in (first + n * DAY for n in range((today - first).days)):
            links = chain(taken, night, self.noise)
            done = {row.recommendation_id for row in known if row.night == night}
            missing = [each for each in links if each.act.id not in done]
            facts = self._facts(workload, night, today) if missing else None
            if facts is not None:
                rows = [self._row(each, _next(links, each), facts, known) for each in missing]
                known += (new := self.journal.nights.add(rows, now))
                yield from new

    def _facts(self, workload: Workload, night: date, today: date) -> Night | Unanswered | None:
        """What is known of the night; None where the source answered wrongly and may do better later; SourceUnavailable."""
        try:
            seen = self.observe(workload, datetime.combine(night, time(), UTC) + DAY)
        except (BadAnswer, NoData) as fault:
            log.warning("%s: the night of %s cannot be booked: %s", workload.id, night, fault)
            return Unanswered(workload, night, str(fault)) if today - night > ASKED_AGAIN else None
        return Night(day=night, observation=seen, book=self.book)

    def _row(
        self, each: TakenRecord, after: TakenRecord | None, night: Night | Unanswered, known: Sequence[LedgerNight]
    ) -> LedgerNight:
        if isinstance(night, Unanswered):
            return _unbookable(each, night)
        try:
            taken, then = self._with_inputs(each), None if after is None else self._with_inputs(after)
        except StoreError as fault:
            return _unbookable(each, Unanswered(night.observation.workload, night.day, str(fault)))
        mine = [row for row in known if row.recommendation_id == each.act.id]
        week = [row for row in mine if night.day - WEEK <= row.night < night.day]
        return book(taken, night, then=then, earlier=week)

    def _with_inputs(self, each: TakenRecord) -> Taken:
        kept = self.inputs.of(each.act.id)
        if kept is None:
            raise StoreError(f"the inputs of {each.act.id} are not stored: an earlier version decided it")
        inputs = kept.inputs
        return Taken(
            recommendation=each.act,
            observation=inputs.observation,
            book=inputs.book,
            options=inputs.options,
            at=each.at,
            how=each.how,
        )


def _next(taken: Sequence[TakenRecord], each: TakenRecord) -> TakenRecord | None:
    place = taken.index(each) + 1
    return taken[place] if place < len(taken) else None


def _unbookable(each: TakenRecord, night: Unanswered) -> LedgerNight:
    budget = night.workload.slo.budget
    return unbookable(each.act, night.night, at=each.at, how=each.how, budget=budget, why=Unknown(night.why))


def worse_events(standing: Sequence[Standing], at: datetime) -> Iterator[Event]:
    """What was taken up and made things worse: one event for each workload, until a night shows it does no longer."""
    for each in standing:
        if each.worse:
            yield Event(
                key=f"made_worse:{each.workload}",
                severity="warning",
                summary=f"What was recommended has made {each.workload} worse.",
                detail="; ".join(reason.detail for reason in each.worse) + f" (as of the night of {each.night})",
                at=at,
            )
