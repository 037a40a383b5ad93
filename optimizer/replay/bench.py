"""One history made ready to judge policies on: the baselines swept once, the physics settled."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from optimizer.physics import StartUp
from optimizer.replay.baselines import Setting, best_fixed, cost_at, perfect, sweep
from optimizer.scaling import ScalingProblem

WEEK, DAY = timedelta(days=7), timedelta(days=1)
LEAST_SCORED = 11


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bench:
    """One history after its warm-up, with the baselines swept: everything that does not depend on the policy.

    `load` is in replicas (requests/s over what one carries), `first` the first step that is charged. Every policy but what ran
    keeps from `floor` to `most` replicas. `weekly` says whether last week is known there; else yesterday stands in for it.
    """

    history: LoadHistory
    capacity_rps: float
    load: Floats
    startup: StartUp
    first: int
    floor: int
    most: int | None
    budget: float
    hpa: tuple[Setting, ...]
    week: tuple[Setting, ...]
    weekly: bool

    @property
    def seen(self) -> Floats:
        """The known load that is charged."""
        charged = self.load[self.first :]
        return charged[np.isfinite(charged)]

    @property
    def perfect_cost(self) -> float:
        """Replica-steps of perfect foresight."""
        return float(perfect(self.seen, self.floor, self.most).sum())

    @property
    def least_missed(self) -> float:
        """The share that is missed whatever is done: what exceeds the most replicas that may run."""
        return 0.0 if self.most is None else _share_over(self.seen, self.most)

    def baseline_cost(self, settings: tuple[Setting, ...], share: float) -> float | None:
        """The cheaper of the swept settings and a fixed number, at a missed share; None where neither misses as little."""
        known = [cost for cost in (cost_at(settings, share), self.fixed_cost(share)) if cost is not None]
        return min(known, default=None)

    def fixed_cost(self, share: float) -> float | None:
        """The best fixed number at a missed share; None where that is more than may run."""
        number = best_fixed(self.seen, share, self.floor, most=self.most)
        return None if number is None else float(number * len(self.seen))

    def best_cost(self, share: float) -> float | None:
        """The cheapest of all baselines at a missed share; None where none misses as little."""
        each = (self.baseline_cost(settings, share) for settings in (self.hpa, self.week))
        return min((cost for cost in each if cost is not None), default=None)


def unscored(history: LoadHistory, warmup: timedelta) -> str | None:
    """Why no policy can be judged after `warmup`, None where it can: the load is known in under eleven of the steps that are left."""
    longest = longest_warmup(history)
    if longest is not None and warmup // history.step <= longest // history.step:
        return None
    steps, known = len(history), int(np.isfinite(history.values).sum())
    gaps = "" if known == steps else f", {known * history.step / DAY:.3g} of them known"
    return (
        f"a warm-up of {_days(warmup)} leaves nothing to score of {_days(steps * history.step)}{gaps}, "
        f"of which {LEAST_SCORED} steps are the least"
    )


def longest_warmup(history: LoadHistory) -> timedelta | None:
    """The longest time after which enough known load is left to judge policies on; None where there never is."""
    known = np.flatnonzero(np.isfinite(history.values))
    return int(known[-LEAST_SCORED]) * history.step if len(known) >= LEAST_SCORED else None


def _days(time: timedelta) -> str:
    days = f"{time / DAY:.3g}"
    return f"{days} day{'' if days == '1' else 's'}"


def prepare(history: LoadHistory, problem: ScalingProblem, *, warmup: timedelta) -> Bench:
    """Sweep the baselines on `history` (requests/s; gaps are not charged).

    ValueError if the warm-up leaves too little (`unscored`), and for a load past a million replicas' worth.
    """
    first = warmup // history.step
    load = problem.load_of(history)
    why = unscored(history, warmup)
    if why is not None:
        raise ValueError(why)
    startup = StartUp.of(problem.startup, history.step)
    weekly = first >= WEEK // history.step
    period = max(1, (WEEK if weekly else DAY) // history.step)

    def swept(period: int | None) -> tuple[Setting, ...]:
        floor, most = problem.min_replicas, problem.max_replicas
        return sweep(load, startup, first, step_s=history.step_s, floor=floor, most=most, period=period)

    return Bench(
        history=history,
        capacity_rps=problem.capacity_rps,
        load=load,
        startup=startup,
        first=first,
        floor=problem.min_replicas,
        most=problem.max_replicas,
        budget=1.0 - problem.attainment,
        hpa=swept(None),
        week=swept(period),
        weekly=weekly,
    )


def _share_over(seen: Floats, replicas: int) -> float:
    return float(np.maximum(0.0, seen - replicas).sum()) / max(float(seen.sum()), 1e-12)
