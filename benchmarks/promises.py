"""Is the advice on attainment right: given on the first half of a history, did the second half bear it out?

For each trace and each wanted attainment the first half alone says whether it can be promised, and
what to promise instead. Then the policy runs on through the second half, at the wanted and at the advised attainment,
still seeing nothing later than each step. Capacity is a tenth of the mean load; traces under eight days,
or without requests, are named and skipped, and of longer ones than 100 days the first 100 are used.

    python benchmarks/promises.py [--traces DIR] [--json OUT] [--markdown OUT]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, csv_files, write_json
from benchmarks.policies import NO_CAPACITY, capacity_of
from domain.errors import TraceError
from domain.load import LoadHistory
from monitor.recorded import name_of, read_trace
from optimizer.calendar import CalendarOptions
from optimizer.outlook import recent_of
from optimizer.physics import StartUp, run
from optimizer.prospect import prospect
from optimizer.scaling import ScalingProblem, decide

WANTED = (0.999, 0.997, 0.99)
WEEK = timedelta(days=7)
SHORTEST, LONGEST = timedelta(days=8), timedelta(days=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One trace and wanted attainment; missed shares are of the second half.

    `promised`: the first half said that it may be promised; `held_before`: the policy held it in the last week of that half.

    `replicas_at_wanted` are the mean replicas there over the mean load in replicas: 1 carries the load and no more.
    """

    trace: str
    wanted: float
    promised: bool
    held_before: bool
    advised: float | None
    missed_at_wanted: float
    replicas_at_wanted: float
    missed_at_advised: float | None

    @property
    def met(self) -> bool:
        """Whether the wanted attainment was held in the second half."""
        return self.missed_at_wanted <= 1.0 - self.wanted

    @property
    def advice_held(self) -> bool | None:
        """Whether what was advised was held; None where nothing was."""
        if self.advised is None or self.missed_at_advised is None:
            return None
        return self.missed_at_advised <= 1.0 - self.advised


def cases(name: str, history: LoadHistory) -> Iterator[Case]:
    """One case for each wanted attainment."""
    half = len(history) // 2
    first = LoadHistory(start=history.start, step=history.step, values=history.values[:half])
    capacity = capacity_of(history)
    for wanted in WANTED:
        scored = half - len(recent_of(first, WEEK))
        problem = ScalingProblem(capacity_rps=capacity, attainment=wanted, learning=scored * history.step)
        said = prospect(
            first,
            problem,
            decide(first, problem),
            first=scored,
            usd_per_replica_hour=1.0,
            options=CalendarOptions(),
        ).promise
        if said is None:
            return
        advised = said.advised
        at_wanted, replicas = after(history, problem, half)
        at_advised = at_wanted
        if advised is not None and advised != wanted:
            at_advised, _ = after(history, replace(problem, attainment=advised), half)
        yield Case(
            trace=name,
            wanted=wanted,
            promised=said.to_be_promised,
            held_before=said.held,
            advised=advised,
            missed_at_wanted=at_wanted,
            replicas_at_wanted=replicas,
            missed_at_advised=None if advised is None else at_advised,
        )


def after(history: LoadHistory, problem: ScalingProblem, half: int) -> tuple[float, float]:
    """Share of the second half's requests that the policy misses, its budget counted from there on, and replicas over load."""
    told = replace(problem, learning=half * history.step)
    load = history.values / told.capacity_rps
    done = run(load, decide(history, told).desired, StartUp.of(told.startup, history.step))
    came = float(np.nansum(load[half:]))
    return float(done.missed[half:].sum()) / came, done.cost(half) / came


def usable(folder: Path) -> Iterator[tuple[str, LoadHistory]]:
    """Every trace of the folder that is long enough; the others are named."""
    for path in csv_files(folder):
        name = name_of(path)
        try:
            history = read_trace(path).requests
        except TraceError as fault:
            print(f"skipped {name}: {fault}")
            continue
        if len(history) * history.step < SHORTEST:
            print(f"skipped {name}: shorter than {SHORTEST.days} days")
            continue
        if capacity_of(history) <= 0.0:
            print(f"skipped {name}: {NO_CAPACITY}")
            continue
        yield name, history.until(history.start + LONGEST)


def row(case: Case) -> str:
    """One line of the Markdown table."""
    said = "yes" if case.promised else "no"
    advised = "none" if case.advised is None else f"{case.advised:.2%}"
    held = {True: "yes", False: "NO", None: "-"}[case.advice_held]
    missed = "-" if case.missed_at_advised is None else f"{case.missed_at_advised:.3%}"
    outcome = "held" if case.met else "missed"
    return (
        f"| {case.trace} | {case.wanted:.1%} | {said} | {case.missed_at_wanted:.3%} | {outcome} | "
        f"{case.replicas_at_wanted:.1f} | {advised} | "
        f"{missed} | {held} |"
    )


def summary(done: Sequence[Case]) -> dict[str, int]:
    """How often the advice was right, and how often what was advised held."""
    return {
        "cases": len(done),
        "missed": sum(not case.met for case in done),
        "missed_and_said_so": sum(not case.met and not case.promised for case in done),
        "held_and_said_so": sum(case.met and case.promised for case in done),
        "missed_unsaid": sum(not case.met and case.promised for case in done),
        "held_though_advised_against": sum(case.met and not case.promised for case in done),
        "held_before_not_promised": sum(case.held_before and not case.promised for case in done),
        "held_before_not_promised_missed": sum(
            case.held_before and not case.promised and not case.met for case in done
        ),
        "advised": sum(case.advised is not None for case in done),
        "advised_held": sum(case.advice_held is True for case in done),
        "lowered": sum(case.advised is not None and not case.promised for case in done),
        "lowered_held": sum(case.advice_held is True and not case.promised for case in done),
    }


def main() -> None:
    """Print the table and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=ROOT / "examples" / "traces")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    lines = [
        "| trace | wanted | to be promised | missed in the second half | outcome | replicas / load | advised | missed at the advised | advice held |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    done: list[Case] = []
    for name, history in usable(options.traces):
        for case in cases(name, history):
            done.append(case)
            lines.append(row(case))
    counts = summary(done)
    print("\n".join(lines))
    print("\n".join(f"{name}: {count}" for name, count in counts.items()))
    if options.markdown is not None:
        options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(options.json, {"summary": counts, "cases": [asdict(case) | {"met": case.met} for case in done]})


if __name__ == "__main__":
    main()
