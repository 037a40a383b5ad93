"""Whether what runs follows what is proposed, seen in metrics from cycle to cycle: whoever makes it do so.

A proposal is applied when mode and machine (or service) are the proposed ones and the ready replicas
follow the number recommended, for an hour. How machines are bought no metric tells, and is not looked at.
An hour in which that is not seen, for whatever reason, ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.load import STILL_NOW, LoadHistory
from domain.observation import Observation
from domain.plan import Act, CalendarStep, Configuration, Recommendation
from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.following import SLOWNESS, follows

APPLIED_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What is proposed (mode and offer), the numbers asked for lately, and since when they are seen to be followed.

    `first` is the id of the recommendation that stood when that was first seen, `last` the newest
    moment at which it was, `lost` the first at which it was not since; None where there is none.
    """

    mode: ServingMode
    offer: str
    wanted: tuple[CalendarStep, ...] = ()
    first: str | None = None
    since: datetime | None = None
    last: datetime | None = None
    lost: datetime | None = None

    @property
    def applied_at(self) -> datetime | None:
        """Since when the proposal is applied; None before it has been seen for long enough."""
        if self.since is None or self.last is None or self.last - self.since < APPLIED_AFTER:
            return None
        return self.since


def following(
    before: Following | None, stood: str, observation: Observation, fresh: Recommendation, now: datetime
) -> Following | None:
    """The state after a cycle at `now`, which saw `observation` while recommendation `stood` was in force.

    `before` is the state that one had. A proposal with the same mode and offer goes on being followed
    whatever its number; a hold proposes nothing new.
    """
    state = None if before is None else _looked(before, stood, observation, now)
    if not isinstance(fresh, Act):
        held = fresh.last_good
        return state if state is None or isinstance(held, Unknown) else _asked(state, held, observation, now)
    proposed = fresh.plan.proposed
    if state is None or (state.mode, state.offer) != (proposed.mode, proposed.offer):
        state = _of(proposed)
    return _asked(state, proposed.replicas, observation, now)


def _of(proposed: Configuration) -> Following:
    return Following(mode=proposed.mode, offer=proposed.offer)


def _looked(state: Following, stood: str, observation: Observation, now: datetime) -> Following:
    if _seen(state, observation):
        return replace(state, first=state.first or stood, since=state.since or now, last=now, lost=None)
    lost = state.lost or now
    if now - lost >= APPLIED_AFTER:
        return replace(state, first=None, since=None, last=None, lost=lost)
    return replace(state, lost=lost)


def _seen(state: Following, observation: Observation) -> bool:
    runs = observation.running
    if isinstance(runs, Unknown) or (runs.mode, runs.offer) != (state.mode, state.offer):
        return False
    if runs.mode is ServingMode.SERVERLESS:
        return True  # it scales by itself: there is no number to follow
    counted = observation.replicas
    ready = counted.newest(STILL_NOW) if isinstance(counted, LoadHistory) else runs.replicas
    return ready is not None and follows(ready, [step.replicas for step in state.wanted])


def _asked(state: Following, replicas: int, observation: Observation, now: datetime) -> Following:
    """The state with one more number asked for; those forgotten that no replica of now was asked for by."""
    steps = (*state.wanted, CalendarStep(at=now, replicas=replicas))
    return replace(state, wanted=_since(steps, now - observation.time_to_ready.p90 - SLOWNESS))


def _since(steps: Sequence[CalendarStep], moment: datetime) -> tuple[CalendarStep, ...]:
    """The number in force at `moment`, and those after it."""
    earlier = sum(step.at <= moment for step in steps)
    return tuple(steps[max(0, earlier - 1) :])
