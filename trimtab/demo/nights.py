"""What was recommended two evenings ago on the same history, taken up, and what came of it since.

The ledger needs a night after a decision, and the demonstration has one: it decides once as of then, seeing nothing
later, accepts in its own name, and lets the night's work catch up as after any absence. Nobody carries out what it
accepts: what ran is what the history holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from domain.plan import Act
from domain.unknown import Unknown
from trimtab.jobs import in_turn
from trimtab.records import Record, Status
from trimtab.settings import AlertmanagerSettings, EmitSettings, Settings
from trimtab.web.outcomes import Outcome, outcomes_of
from trimtab.web.view import runs
from trimtab.wiring import Program, build, now

# Before the midnight that the last whole night began with: late enough for that night's report to have it in force.
BEFORE_MIDNIGHT = timedelta(hours=1)
ACTOR = "the demonstration"


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """The proposals that were accepted when they were made, and what the ledger says of the nights since."""

    at: datetime
    accepted: tuple[Act, ...]
    outcomes: tuple[Outcome, ...]

    def lines(self) -> Iterator[str]:
        """What was accepted and when, and what was promised and realised."""
        if not self.accepted:
            yield "nothing was proposed then"
            return
        yield f"accepted by {ACTOR} at {self.at:%Y-%m-%d %H:%M} UTC, and carried out by nobody:"
        for act in self.accepted:
            instead = "" if isinstance(act.current, Unknown) else f", in place of {runs(act.current)}"
            yield f"{act.workload}: {runs(act.plan.proposed)}{instead}"
            for outcome in (each for each in self.outcomes if each.id == act.id):
                realised = outcome.realised or f"not known ({outcome.unknown})"
                yield f"  {outcome.nights}: promised {outcome.promised} a month, realised {realised}"
                yield from (f"  {why}" for why in outcome.why)


def evening_before(at: datetime) -> datetime:
    """Late on the day before yesterday (UTC): one whole night lies between it and `at`."""
    return datetime.combine(yesterday(at), time(), UTC) - BEFORE_MIDNIGHT


def yesterday(at: datetime) -> date:
    """The last day (UTC) that is over at `at`."""
    return at.astimezone(UTC).date() - timedelta(days=1)


def look_back(settings: Settings, accepted: Collection[str], then: datetime, until: datetime) -> Earlier:
    """One cycle as of `then`, its proposals for those `accepted` there and then, and the nights up to `until` caught up.

    Nothing is emitted and nobody is told: that is for the cycle of now.
    """
    quiet = settings.model_copy(update={"emit": EmitSettings(), "alertmanager": AlertmanagerSettings()})
    with opened(quiet, clock=lambda: then) as program:
        acts = _proposed(program.cycle.run(now=then).records, accepted)
        for act in acts:
            program.recommendations.decide(act.id, Status.ACCEPTED, then, ACTOR)
        in_turn(program.ledger.catch_up, program.nightly.catch_up)(now=until)
        nights = program.journal.nights.between(then.date(), until.date())
    return Earlier(at=then, accepted=acts, outcomes=outcomes_of(nights, until))


@contextmanager
def opened(settings: Settings, clock: Callable[[], datetime] = now) -> Iterator[Program]:
    """The whole program on these settings; its store is let go of afterwards."""
    program = build(settings, clock=clock)
    try:
        yield program
    finally:
        program.database.close()


def _proposed(records: Collection[Record], workloads: Collection[str]) -> tuple[Act, ...]:
    made = (record.recommendation for record in records if record.recommendation.workload in workloads)
    return tuple(each for each in made if isinstance(each, Act))
