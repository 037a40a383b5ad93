"""Replays alert rules over the history that the source has, so that each rule says what it would have done.

Each is asked again once a day, or when its rule has changed; what could not be asked is tried again each time.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from domain.errors import SourceError, SourceUnavailable
from domain.moments import Moments, share_known
from domain.unknown import Unknown
from rules import ENOUGH, About, Proof, Proofs, Question, Way, answered
from trimtab.store.proofs import ProofStore

log = logging.getLogger(__name__)

KNOWN_STEP = timedelta(minutes=5)  # how finely it is looked where anything is known
POSSIBLE_STEP = timedelta(minutes=1)  # the finest at which windows are computed
STANDS = timedelta(days=1)  # how long a proof stands before its rule is replayed again


class Ask(Protocol):
    """When each series of a PromQL expression had a sample over [start, end]; raises SourceError."""

    def __call__(self, expression: str, /, *, start: datetime, end: datetime, step: timedelta) -> Sequence[Moments]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """Keeps the proofs of `questions()` fresh. `ask` is Unknown where the source cannot be asked for PromQL."""

    ask: Ask | Unknown
    questions: Callable[[datetime], Sequence[Question]]
    store: ProofStore
    window: timedelta
    threads: int = 4

    def catch_up(self, *, now: datetime) -> Proofs:
        """Replay what has no fresh proof of its rule; every proof there is then."""
        asked = self.questions(now)
        kept = self.store.all()
        due = [question for question in asked if not _fresh(kept.get(_about(question)), question, now)]
        if due:
            log.info("replaying %d alert rules over %g days", len(due), self.window / timedelta(days=1))
            self.store.keep(self._replayed(due, now), at=now, only=frozenset(map(_about, asked)))
        return self.store.all()

    def _replayed(self, due: Sequence[Question], now: datetime) -> Proofs:
        if isinstance(self.ask, Unknown):
            return {_about(question): self.ask for question in due}
        end = now.replace(second=0, microsecond=0)
        history = _History(ask=self.ask, start=end - self.window, end=end)
        with ThreadPoolExecutor(max_workers=self.threads) as threads:
            return dict(zip(map(_about, due), threads.map(history.replay, due), strict=True))


@dataclass(slots=True, kw_only=True)
class _History:
    """The past of one run; a source that is away is asked no further, and what is known is asked for once."""

    ask: Ask
    start: datetime
    end: datetime
    away: Unknown | None = None
    known: dict[str, Sequence[Moments]] = field(default_factory=dict)

    def replay(self, question: Question) -> Proof | Unknown:
        """What the alert would have done, or why that is not known."""
        if self.away is not None:
            return self.away
        try:
            way, known = self._best(question.ways)
            if not share_known(known):
                return Unknown(
                    f"nothing of what it asks for was there in the {(self.end - self.start).days} days to "
                    f"{self.end:%Y-%m-%d %H:%M} UTC"
                )
            held = self._held(way, question.step)
        except SourceUnavailable as fault:
            self.away = Unknown(str(fault))
            return self.away
        except SourceError as fault:
            return Unknown(str(fault))
        return answered(question, way, held, known, self.end)

    def _held(self, way: Way, step: timedelta) -> Sequence[Moments]:
        """When the expression held; one that was never possible is not asked, for that is by far the dearest."""
        if way.possible is not None:
            at_some_time = self.ask(way.possible, start=self.start, end=self.end, step=POSSIBLE_STEP)
            if not any(each.holds.any() for each in at_some_time):
                return ()
        return self.ask(way.expr, start=self.start, end=self.end, step=step)

    def _best(self, ways: Iterable[Way]) -> tuple[Way, Sequence[Moments]]:
        """The first way that knows enough of the window, else the one that knows most."""
        tried: list[tuple[Way, Sequence[Moments]]] = []
        for way in ways:
            tried.append((way, self._known(way.known)))
            if share_known(tried[-1][1]) >= ENOUGH:
                return tried[-1]
        return max(tried, key=lambda each: share_known(each[1]))

    def _known(self, expression: str) -> Sequence[Moments]:
        if expression not in self.known:
            self.known[expression] = self.ask(expression, start=self.start, end=self.end, step=KNOWN_STEP)
        return self.known[expression]


def _about(question: Question) -> About:
    return question.workload, question.alert.name


def _fresh(proof: Proof | Unknown | None, question: Question, now: datetime) -> bool:
    return isinstance(proof, Proof) and proof.rule == question.rule and now - proof.end < STANDS
