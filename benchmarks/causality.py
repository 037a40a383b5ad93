"""Does a decision ever see the future? Truncation and alteration at random origins of every trace of a folder.

At each origin the rest of the trace is cut off, then replaced by noise with spikes of fifty times the
mean. No decision made before the origin may differ. Ends with 1 if one does.

    python benchmarks/causality.py [--traces DIR] [--origins 20] [--json OUT]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.measure import write_json
from benchmarks.policies import TRACES, capacity_of, usable
from domain.load import LoadHistory
from monitor.recorded import name_of
from optimizer.scaling import ScalingProblem, decide


def altered(history: LoadHistory, origin: int, seed: int) -> LoadHistory:
    """The same history up to `origin`, and something else entirely after it."""
    values = history.values.copy()
    rest = values[origin:]
    values[origin:] = np.nan_to_num(rest) * np.random.default_rng(seed).uniform(0, 6, len(rest))
    values[origin::37] = 50 * np.nanmean(history.values)
    return LoadHistory(start=history.start, step=history.step, values=values)


def changed(history: LoadHistory, problem: ScalingProblem, origins: list[int]) -> int:
    """How many decisions before their origin differ, over all origins."""
    whole = decide(history, problem).desired
    count = 0
    for origin in origins:
        cut = LoadHistory(start=history.start, step=history.step, values=history.values[:origin])
        for other in (cut, altered(history, origin, seed=origin)):
            count += int((decide(other, problem).desired[:origin] != whole[:origin]).sum())
    return count


def main() -> None:
    """Print one line a trace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--origins", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = {}
    for path, history, _ in usable(arguments.traces):
        problem = ScalingProblem(capacity_rps=capacity_of(history))
        origins = np.random.default_rng(1).integers(len(history) // 10, len(history), arguments.origins).tolist()
        found[name_of(path)] = changed(history, problem, origins)
        print(
            f"{name_of(path)}: {found[name_of(path)]} decisions changed before {arguments.origins} origins", flush=True
        )
    write_json(arguments.json, {"decisions_changed": found})
    sys.exit(any(found.values()))


if __name__ == "__main__":
    main()
