"""Replaying alerts: what has to be asked of a history, and what the answers prove.

An alert is asked in up to three ways, best first: as its rule file asks it, from the five-minute series alone, and
from the runtime's own metrics, for rules may be younger than the history. That way is taken which knows enough of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.moments import Moments, share_known
from domain.plan import Recommendation
from domain.signals import RuntimeProfile
from domain.workload import Workload
from rules.alerts import of_fleet, of_workload
from rules.asking import Reading
from rules.episodes import fired
from rules.model import Alert, subjects_of
from rules.options import RuleOptions
from rules.proof import FLEET, Episode, Proof, fingerprint

ENOUGH = 0.95  # share of the window from which no other way of asking is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way of asking: an alert's expression, and the others that go with it (see `Alert`)."""

    reading: Reading
    expr: str
    known: str
    possible: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An alert to be replayed, evaluated every `step`."""

    workload: str
    alert: Alert
    step: timedelta
    ways: tuple[Way, ...]

    @property
    def rule(self) -> str:
        """The fingerprint that its proof will have."""
        return fingerprint(self.alert)


def questions(
    targets: Sequence[tuple[Workload, RuntimeProfile]],
    recommendations: Sequence[Recommendation],
    options: RuleOptions,
) -> tuple[Question, ...]:
    """Every alert that `render` writes for the same arguments."""
    return (*_of_fleet(options), *_of_workloads(targets, recommendations, options))


def _of_fleet(options: RuleOptions) -> Iterator[Question]:
    for alert in of_fleet(options):
        way = _way(Reading.RECORDED, alert)
        yield Question(workload=FLEET, alert=alert, step=options.interval, ways=(way,))


def _of_workloads(
    targets: Sequence[tuple[Workload, RuntimeProfile]],
    recommendations: Sequence[Recommendation],
    options: RuleOptions,
) -> Iterator[Question]:
    for subject in subjects_of(targets, recommendations, options):
        asked = {reading: of_workload(replace(subject, reading=reading)) for reading in Reading}
        for same in zip(*asked.values(), strict=True):
            ways: dict[str, Way] = {}
            for reading, alert in zip(asked, same, strict=True):
                ways.setdefault(alert.expr, _way(reading, alert))
            alert = same[0]
            yield Question(
                workload=subject.workload.id,
                alert=alert,
                step=options.slow_interval if alert.slow else options.interval,
                ways=tuple(ways.values()),
            )


def answered(question: Question, way: Way, held: Sequence[Moments], known: Sequence[Moments], end: datetime) -> Proof:
    """The proof that an answer gives: `held` are the series of the expression, `known` those of where it is judged.

    Where nothing was known, nothing would have fired; `known` must not be empty.
    """
    alert, start = question.alert, known[0].start
    episodes = [
        Episode(start=series.start + begin * series.step, end=series.start + stop * series.step, labels=series.labels)
        for series in (each.within(known) for each in held)
        for begin, stop in fired(series.spans(), len(series.holds), series.step, alert.wait, alert.tail)
    ]
    told_apart = set(alert.labels) if question.workload == FLEET else set()
    return Proof(
        rule=question.rule,
        start=start,
        end=end,
        known=share_known(known),
        reading=way.reading,
        episodes=tuple(
            replace(each, labels={name: each.labels[name] for name in told_apart if name in each.labels})
            for each in sorted(episodes, key=lambda episode: (episode.start, sorted(episode.labels.items())))
        ),
    )


def _way(reading: Reading, alert: Alert) -> Way:
    return Way(reading=reading, expr=alert.expr, known=alert.known, possible=alert.possible)
