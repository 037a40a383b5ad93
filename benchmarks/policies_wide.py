"""The scaling policy on many variations of each trace: other capacities, other times to ready, parts of it, and sums of two.

A figure over a dozen traces says little of the next one. Here each trace that `benchmarks/policies.py` can use
is asked again with a capacity of mean load / 4 and / 30, with 60 s and 600 s until a replica is ready, in two parts
that overlap where it is under 20 days and in three where it is longer, and added to the next trace of the same step.
Baselines are tuned in hindsight by our own replay, which follows the scorer's physics.

    python benchmarks/policies_wide.py [--traces DIR] [--jobs 2] [--json OUT]
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks.measure import write_json
from benchmarks.policies import ATTAINMENTS, OTHERWISE, TRACES, capacity_of, geometric_mean, usable, warmup_of
from domain.load import LoadHistory
from monitor.recorded import name_of
from optimizer.replay import prepare, rated
from optimizer.scaling import ScalingProblem, decide

DIVISORS = (4.0, 30.0)
STARTUPS = (60.0, 600.0)
LONG = timedelta(days=20)
PART = 0.7  # of a trace under `LONG`


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Case:
    """One question: a load, of which the first `warmup` is not judged, and what a replica is like."""

    group: str
    trace: str
    history: LoadHistory
    warmup: timedelta
    attainment: float
    divisor: float = 10.0
    startup_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether the SLO was met, and cost over that of the best baseline tuned in hindsight to just miss the budget."""

    group: str
    trace: str
    slo_met: bool
    missed: float
    at_budget: float


def cases(traces: Sequence[tuple[Path, LoadHistory, timedelta]]) -> Iterator[Case]:
    """Every variation of every trace."""
    for path, history, warmup in traces:
        wanted = ATTAINMENTS.get(name_of(path), OTHERWISE)
        for divisor in (10.0, *DIVISORS):
            yield _case(f"mean load / {divisor:g}", path, history, warmup, wanted, divisor=divisor)
        for startup_s in STARTUPS:
            yield _case(f"ready after {startup_s:g} s", path, history, warmup, wanted, startup_s=startup_s)
        for part in parts(history):
            within = warmup_of(part)
            if within is not None and capacity_of(part) > 0.0:
                yield _case("parts", path, part, within, wanted)
    for (path, one, warmup), (_, other, _) in itertools.pairwise(traces):
        if one.step == other.step:
            both = added(one, other)
            yield _case("sums of two", path, both, min(warmup, warmup_of(both) or warmup), OTHERWISE)


def _case(
    group: str,
    path: Path,
    history: LoadHistory,
    warmup: timedelta,
    attainment: float,
    *,
    divisor: float = 10.0,
    startup_s: float = 300.0,
) -> Case:
    return Case(
        group=group,
        trace=name_of(path),
        history=history,
        warmup=warmup,
        attainment=attainment,
        divisor=divisor,
        startup_s=startup_s,
    )


def parts(history: LoadHistory) -> list[LoadHistory]:
    """The first and last seven tenths of a trace under twenty days, the thirds of a longer one."""
    size = len(history)
    if size * history.step < LONG:
        begins, length = [0, size - int(PART * size)], int(PART * size)
    else:
        begins, length = [0, size // 3, 2 * (size // 3)], size // 3
    return [
        LoadHistory(
            start=history.start + begin * history.step,
            step=history.step,
            values=history.values[begin : begin + length],
        )
        for begin in begins
    ]


def added(one: LoadHistory, other: LoadHistory) -> LoadHistory:
    """Both, each in units of its mean, as far as the shorter goes; the clock is the first one's."""
    size = min(len(one), len(other))
    values = sum(load.values[:size] / np.nanmean(load.values[:size]) for load in (one, other))
    return LoadHistory(start=one.start, step=one.step, values=np.asarray(values))


def answered(case: Case) -> Answer:
    """Decide on the whole load, then replay."""
    problem = ScalingProblem(
        capacity_rps=float(np.nanmean(case.history.values)) / case.divisor,
        startup=timedelta(seconds=case.startup_s),
        attainment=case.attainment,
        learning=case.warmup,
    )
    wanted = decide(case.history, problem).desired
    row, _ = rated(prepare(case.history, problem, warmup=case.warmup), "trimtab", wanted, 1.0)
    return Answer(
        group=case.group,
        trace=case.trace,
        slo_met=bool(row.slo_met),
        missed=row.missed_share or 0.0,
        at_budget=row.at_budget or float("nan"),
    )


def summary(answers: Sequence[Answer]) -> dict[str, float]:
    """SLO first; cost means something only where it was met and there is a baseline that meets it."""
    met = [answer.at_budget for answer in answers if answer.slo_met and np.isfinite(answer.at_budget)]
    return {
        "cases": len(answers),
        "slo_met": sum(answer.slo_met for answer in answers),
        "at_budget_where_met": geometric_mean(met),
        "at_budget_most": max(met, default=float("nan")),
    }


def table(groups: dict[str, dict[str, float]]) -> str:
    """Markdown, one row a group."""
    head = "| variation | cases | SLO met | at_budget where met | dearest |\n|---|---:|---:|---:|---:|"
    lines = [
        f"| {name} | {row['cases']} | {row['slo_met']} | {row['at_budget_where_met']:.3f} | {row['at_budget_most']:.2f} |"
        for name, row in groups.items()
    ]
    return "\n".join([head, *lines])


def main() -> None:
    """Print the table, and write it as data where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    asked = list(cases(usable(options.traces)))
    if not asked:
        raise SystemExit(f"{options.traces}: no trace here can be judged")
    answers: list[Answer] = Parallel(n_jobs=options.jobs)(delayed(answered)(case) for case in asked)
    groups = {
        name: summary([answer for answer in answers if answer.group == name])
        for name in dict.fromkeys(answer.group for answer in answers)
    } | {"**all**": summary(answers)}
    print(table(groups))
    write_json(options.json, {"groups": groups, "cases": [asdict(answer) for answer in answers]})


if __name__ == "__main__":
    main()
