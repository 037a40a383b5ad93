"""Decides on many workloads at once, in processes where there are enough of them to be worth it.

This is the one place where any exception is caught: a fault in deciding on one workload must not
take the others with it. It becomes `Failed`, is logged with its trace, and its workload is held.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from domain.observation import Observation
from domain.plan import Recommendation

log = logging.getLogger(__name__)

Decide = Callable[[Observation, Recommendation | None], Recommendation]
WORTH_PROCESSES = 8  # workloads; a worker process takes seconds to import what it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Deciding on this workload broke."""

    workload: str
    problem: str


Decided = Recommendation | Failed


def decide_all(
    decide: Decide,
    observations: Sequence[Observation],
    previous: Mapping[str, Recommendation],
    *,
    processes: int,
) -> tuple[Decided, ...]:
    """One decision for each observation, in order; the same whatever the number of processes.

    Work goes out in one piece for each process, so that what `decide` carries (a price book) is sent once.
    """
    pairs = [(observation, previous.get(observation.workload.id)) for observation in observations]
    if processes < 2 or len(pairs) < WORTH_PROCESSES:
        return tuple(_decide_some(decide, pairs))
    from joblib import Parallel, delayed  # noqa: PLC0415  not needed for a few workloads

    pieces = [pairs[first::processes] for first in range(processes)]
    answers = Parallel(n_jobs=processes)(delayed(partial(_decide_some, decide))(piece) for piece in pieces)
    return tuple(answers[index % processes][index // processes] for index in range(len(pairs)))


def _decide_some(decide: Decide, pairs: Sequence[tuple[Observation, Recommendation | None]]) -> list[Decided]:
    return [_decide_one(decide, observation, before) for observation, before in pairs]


def _decide_one(decide: Decide, observation: Observation, before: Recommendation | None) -> Decided:
    try:
        return decide(observation, before)
    except Exception as fault:
        log.exception("deciding on %s failed", observation.workload.id)
        return Failed(workload=observation.workload.id, problem=f"{type(fault).__name__}: {fault}")
