"""Many workloads in several processes: in order, with their faults, and no longer than they are needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from domain.observation import Observation
from domain.plan import Recommendation
from tests.fakes.fleet import an_observation
from tests.fakes.recommendations import NOON, a_workload, an_act
from trimtab.decide import Failed, think_of_each

HOUR = timedelta(hours=1)


def act_or_fail(observation: object, previous: Recommendation | None) -> Recommendation:
    """At the top of a module, so that a worker process can import it."""
    name = observation.workload.id  # type: ignore[attr-defined]
    if name == "w3":
        raise ZeroDivisionError("by nothing")
    return an_act(name, NOON) if previous is None else previous


@pytest.mark.parametrize("processes", [1, 2])
def test_decisions_come_in_order_from_any_number_of_processes(processes: int) -> None:
    observations = [an_observation(a_workload(f"w{n}"), NOON) for n in range(9)]
    earlier = an_act("w5", NOON - HOUR)
    decided = think_of_each(act_or_fail, observations, {"w5": earlier}, processes=processes)
    assert [each.workload for each in decided] == [f"w{n}" for n in range(9)]
    assert decided[3] == Failed(workload="w3", problem="ZeroDivisionError: by nothing")
    assert decided[5] == earlier


def own_process(observation: object, previous: Recommendation | None) -> int:
    """At the top of a module, as above."""
    return os.getpid()


def test_worker_processes_end_with_their_work_and_others_begin_with_the_next() -> None:
    """Each holds hundreds of MB, and the plan for the whole fleet comes next."""
    observations = [an_observation(a_workload(f"w{n}"), NOON) for n in range(8)]
    before: set[int] = set()
    for _ in range(2):
        told = think_of_each(own_process, observations, {}, processes=2)
        workers = {pid for pid in told if isinstance(pid, int)} - {os.getpid()}
        assert len(workers) == 1, "of two processes this one is the other"
        assert not workers & before
        assert not any(runs(pid) for pid in workers)
        before = workers


def test_loops_are_compiled_by_one_process_that_ends_before_several_think(tmp_path: Path) -> None:
    """Each process that compiles holds hundreds of MB more; where all is compiled, or one process thinks, none is asked."""
    code = """
import os
from domain.plan import Recommendation
from optimizer.compiled import to_compile
from tests.fakes.fleet import an_observation
from tests.fakes.recommendations import NOON, a_workload
from tests.trimtab.test_trimtab_decide import noted
from trimtab.decide import compile_first

observations = [an_observation(a_workload(f"w{n}"), NOON) for n in range(8)]
for processes in (1, 2, 2):
    compile_first(noted, observations, {}, processes=processes)
print(os.getpid(), to_compile())
"""
    told = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path / "loops"), "NOTES": str(tmp_path / "notes")},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(done.stdout.split())
    assert [still for _, still in told] == ["False", "False"]
    workload, worker = (tmp_path / "notes").read_text(encoding="utf-8").split()
    assert workload == "w0"
    assert worker != told[0][0]
    assert not runs(int(worker))


def noted(observation: Observation, previous: Recommendation | None) -> None:
    """At the top of a module, as above: which workload is thought about, and where."""
    with Path(os.environ["NOTES"]).open("a", encoding="utf-8") as notes:
        notes.write(f"{observation.workload.id} {os.getpid()}\n")


def broken_off_in(here: int, observation: object, previous: Recommendation | None) -> None:
    """At the top of a module, as above."""
    if os.getpid() == here:
        raise KeyboardInterrupt
    time.sleep(60)


def test_broken_off_here_nobody_works_on_elsewhere() -> None:
    observations = [an_observation(a_workload(f"w{n}"), NOON) for n in range(8)]
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        think_of_each(partial(broken_off_in, os.getpid()), observations, {}, processes=2)
    assert time.monotonic() - began < 30, "the other has four minutes to go"


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_decision_has_one_thread_of_linear_algebra_on_any_machine() -> None:
    """Also where its library is loaded by the decision itself: threads divide sums otherwise, which moves last digits."""
    code = """
from threadpoolctl import threadpool_info
from trimtab.decide import attempted

def threads():
    import scipy.linalg
    return {(each["filepath"], each["num_threads"]) for each in threadpool_info() if each["user_api"] == "blas"}

print(sorted(count for _, count in attempted("w", threads)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"OPENBLAS_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(json.loads(done.stdout)) == {1}
