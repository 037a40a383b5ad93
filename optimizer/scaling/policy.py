"""The scaling policy `trimtab`: one causal function, run by the cycle and by replay alike."""

from __future__ import annotations

import numpy as np

from domain.load import LoadHistory
from optimizer.physics import Counts, Floats, StartUp
from optimizer.scaling.experts import assemble
from optimizer.scaling.explain import Course, explained
from optimizer.scaling.features import Clock, Matrix, means, peaks
from optimizer.scaling.pacing import NEARLY, fixed_so_far, pace_of, paced
from optimizer.scaling.problem import Decisions, PriceRow, ScalingProblem
from optimizer.scaling.shadow import missed_by, mixed_at

ROW = 20
LOWEST_PRICE, HIGHEST = 1.2, 20.0


def decide(history: LoadHistory, problem: ScalingProblem, /) -> Decisions:
    """One whole number for every step of `history` (requests/s; a gap teaches nothing and is no zero).

    `desired[i]` rests on steps up to and including i alone, so the same call serves a whole replay and
    the present decision (its last number). Where several steps fall into one decision interval, the highest of
    them is what is foreseen, and each is missed for itself. ValueError for a load past a million replicas' worth.
    """
    ratio = max(1, -(-problem.decision_interval // history.step))  # whole steps, and never oftener than asked for
    fine = _blocks(problem.load_of(history), ratio)
    load = means(fine)
    startup = StartUp.of(problem.startup, history.step * ratio)
    clock = Clock(step_s=history.step_s * ratio, lead=startup.lead)
    experts = assemble(peaks(fine), clock, startup, problem.min_replicas)
    prices = prices_for(problem)
    mixed, weights = mixed_at(fine, experts, prices, clock, startup)
    missed = missed_by(fine, np.minimum(mixed, problem.most), startup)
    pace = pace_of(problem, clock, startup, load, prices)
    own, positions, asked, shares = paced(fine, mixed, missed, fixed_so_far(fine, pace), pace)
    bounded = np.clip(own, problem.min_replicas, problem.max_replicas)
    desired = _stretched(bounded, ratio, len(history), problem.min_replicas)
    course = Course(
        load=load,
        experts=experts,
        prices=prices,
        weights=weights,
        mixed=mixed,
        own=own,
        positions=positions,
        asked=asked,
        shares=shares,
        ratio=ratio,
    )
    needed = np.ceil(np.nan_to_num(load) - NEARLY).astype(np.int64)
    row = PriceRow(prices=prices, wanted=mixed, needed=needed, positions=positions, ratio=ratio)
    return Decisions(desired=desired, explanation=explained(course, problem, clock, desired), row=row)


def prices_for(problem: ScalingProblem) -> Floats:
    """Replica-steps that a replica-step of missed load may cost: from hardly more than one to twenty budget prices."""
    given = problem.price_of_miss or 0.0
    return np.geomspace(LOWEST_PRICE, max(HIGHEST / problem.budget, 2.0 * given), ROW)


def _blocks(load: Floats, ratio: int) -> Matrix:
    """Whole blocks of `ratio` steps, one for each decision: (blocks, ratio)."""
    return np.ascontiguousarray(load[: len(load) // ratio * ratio].reshape(-1, ratio))


def _stretched(decided: Counts, ratio: int, length: int, floor: int) -> Counts:
    """Each decision falls at the end of its block of fine steps and stands until the next."""
    desired = np.full(length, max(1, floor), dtype=np.int64)
    index = (np.arange(length) + 1) // ratio - 1
    desired[index >= 0] = decided[index[index >= 0]]
    return desired
