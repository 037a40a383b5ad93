"""Thinks about many workloads at once, in processes where there are enough of them to be worth it.

This is the one place where any exception is caught: a fault in deciding on one workload must not
take the others with it. It becomes `Failed`, is logged with its trace, and its workload is held.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from domain.observation import Observation
from domain.plan import Recommendation
from optimizer.compiled import to_compile
from optimizer.unthreaded import on_one_thread

log = logging.getLogger(__name__)

T = TypeVar("T")
WORTH_PROCESSES = 8  # workloads; a worker process takes seconds to import what it needs


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Deciding on this workload broke."""

    workload: str
    problem: str


Decided = Recommendation | Failed


def think_of_each(
    think: Callable[[Observation, Recommendation | None], T],
    observations: Sequence[Observation],
    previous: Mapping[str, Recommendation],
    *,
    processes: int,
) -> tuple[T | Failed, ...]:
    """What `think` makes of each observation, in order; the same whatever the number of processes.

    This process is one of them: another would hold hundreds of MB more. Work goes out in one piece for each of the others,
    so that what `think` carries (a price book) is sent once.
    """
    pairs = [(observation, previous.get(observation.workload.id)) for observation in observations]
    if processes < 2 or len(pairs) < WORTH_PROCESSES:
        return tuple(_think_of_some(think, pairs))
    from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415  not needed for a few workloads

    own, *others = (pairs[first::processes] for first in range(processes))
    workers = get_reusable_executor(max_workers=len(others))
    sent = [workers.submit(_think_of_some, think, piece) for piece in others]
    try:
        answers = [_think_of_some(think, own), *(each.result() for each in sent)]
    finally:  # the fleet's plan, which comes next, needs neither the workers nor the memory that they hold
        workers.shutdown(wait=True, kill_workers=not all(each.done() for each in sent))
    return tuple(answers[index % processes][index // processes] for index in range(len(pairs)))


def compile_first(
    think: Callable[[Observation, Recommendation | None], T],
    observations: Sequence[Observation],
    previous: Mapping[str, Recommendation],
    *,
    processes: int,
) -> None:
    """Think about the first one in a process that ends with it, where loops have yet to be compiled and several processes would.

    Compiling takes hundreds of MB, which a process keeps; from then on all of them find the loops on disk.
    """
    if processes < 2 or len(observations) < WORTH_PROCESSES or not to_compile():
        return
    from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415  as above

    first = [(observations[0], previous.get(observations[0].workload.id))]
    worker = get_reusable_executor(max_workers=1)
    try:
        worker.submit(_think_of_some, think, first).result()
    finally:
        worker.shutdown(wait=True, kill_workers=True)


def _think_of_some(
    think: Callable[[Observation, Recommendation | None], T],
    pairs: Sequence[tuple[Observation, Recommendation | None]],
) -> list[T | Failed]:
    return [attempted(seen.workload.id, partial(think, seen, before)) for seen, before in pairs]


def attempted(workload: str, work: Callable[[], T]) -> T | Failed:
    """What `work` gives, or `Failed` for any exception in it.

    Linear algebra has one thread there: how many there are changes the last digits, and a decision has to be repeatable.
    """
    try:
        with on_one_thread():
            return work()
    except Exception as fault:
        log.exception("deciding on %s failed", workload)
        return Failed(workload=workload, problem=f"{type(fault).__name__}: {fault}")
