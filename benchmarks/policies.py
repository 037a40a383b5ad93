"""The scaling policy against baselines tuned in hindsight, on every trace of a folder that has requests.

Capacity is the mean load / 10 (requests/s, rounded to 6 decimals), warm-up 7 days (4 where the trace is
under 12 days, and under 6 days it is not used). The attainment asked for is what a causal policy can
reach on each trace, or 99 % where the list does not say. Figures come from the shared scorer where
`../shared/tools/score_policy.py` stands beside the checkout, and from our own replay otherwise.

    python benchmarks/policies.py [--traces DIR] [--startup 60 300 600] [--json OUT]
"""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np

from benchmarks.measure import ROOT, csv_files, write_json
from domain.errors import TraceError
from domain.load import LoadHistory
from monitor.recorded import name_of, read_trace
from optimizer.physics import Counts
from optimizer.replay import prepare, rated
from optimizer.scaling import ScalingProblem, decide

SCORER = ROOT.parent / "shared" / "tools" / "score_policy.py"
TRACES = ROOT / "examples" / "traces"
ATTAINMENTS = {
    **dict.fromkeys(("azfn_bd33", "azfn_3858", "azfn_e369", "azfn_704b", "nasa_http"), 0.999),
    **dict.fromkeys(("webtraffic_za_r4", "nyc_taxi", "servegen_small_c36"), 0.999),
    **dict.fromkeys(("servegen_msmall_all", "servegen_large_c48"), 0.997),
    "tweets_amzn": 0.995,
    "elb_requests": 0.99,
}
OTHERWISE = 0.99
NO_CAPACITY = "hardly a request came, so there is no capacity to speak of"
SMOOTH = (
    "azfn_bd33",
    "nasa_http",
    "webtraffic_za_r4",
    "servegen_small_c36",
    "servegen_msmall_all",
    "servegen_large_c48",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One trace, as the scorer names its figures; `us_per_decision` is time of one core, without compiling."""

    trace: str
    startup: float
    attainment: float
    slo_met: bool
    miss: float
    cost_x: float
    at_budget: float
    vs_hpa: float
    vs_best: float
    us_per_decision: float
    scored_by: str


def scorer() -> ModuleType | None:
    """The shared scorer; None where it is not there."""
    if not SCORER.exists():
        return None
    spec = importlib.util.spec_from_file_location("score_policy", SCORER)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{SCORER}: cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def warmup_of(history: LoadHistory) -> timedelta | None:
    """Days not charged; None where too little would be left."""
    length = len(history) * history.step
    if length < timedelta(days=6):
        return None
    return timedelta(days=7 if length >= timedelta(days=12) else 4)


def capacity_of(history: LoadHistory) -> float:
    """Mean load / 10 (requests/s), to six decimals; 0 where hardly a request came."""
    return round(float(np.nanmean(history.values)) / 10, 6)


def figures(path: Path, history: LoadHistory, warmup: timedelta, startup: float, judge: ModuleType | None) -> Figures:
    """Decide on the whole trace, then score the decisions."""
    name = name_of(path)
    problem = ScalingProblem(
        capacity_rps=capacity_of(history),
        startup=timedelta(seconds=startup),
        attainment=ATTAINMENTS.get(name, OTHERWISE),
        learning=warmup,
    )
    begun = time.process_time()
    wanted = decide(history, problem).desired
    us = (time.process_time() - begun) / len(history) * 1e6
    blank = Figures(
        trace=name,
        startup=startup,
        attainment=problem.attainment,
        slo_met=False,
        miss=0.0,
        cost_x=0.0,
        at_budget=0.0,
        vs_hpa=0.0,
        vs_best=0.0,
        us_per_decision=us,
        scored_by="replay" if judge is None else "score_policy.py",
    )
    if judge is None:
        return _replayed(blank, history, problem, warmup, wanted)
    return _judged(blank, (path, history), problem, wanted, judge)


def _replayed(
    blank: Figures, history: LoadHistory, problem: ScalingProblem, warmup: timedelta, wanted: Counts
) -> Figures:
    row, _ = rated(prepare(history, problem, warmup=warmup), "trimtab", wanted, 1.0)
    return replace(
        blank,
        slo_met=bool(row.slo_met),
        miss=row.missed_share or 0.0,
        cost_x=row.cost_x or 0.0,
        at_budget=row.at_budget or 0.0,
        vs_hpa=row.vs_hpa or 0.0,
        vs_best=row.vs_best or 0.0,
    )


def _judged(
    blank: Figures, trace: tuple[Path, LoadHistory], problem: ScalingProblem, wanted: Counts, judge: ModuleType
) -> Figures:
    path, history = trace
    with tempfile.TemporaryDirectory() as folder:
        decisions = Path(folder) / "decisions.csv"
        lines = (f"{(history.start + i * history.step).isoformat()},{number}\n" for i, number in enumerate(wanted))
        decisions.write_text("timestamp,desired_replicas\n" + "".join(lines), encoding="utf-8")
        days = problem.learning / timedelta(days=1)
        scored = judge.score(str(path), str(decisions), problem.capacity_rps, blank.startup, days, problem.attainment)
    return replace(
        blank, **{key: scored[key] for key in ("slo_met", "miss", "cost_x", "at_budget", "vs_hpa", "vs_best")}
    )


def geometric_mean(values: Sequence[float]) -> float:
    """NaN of nothing."""
    return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


def summary(rows: Sequence[Figures], title: str) -> dict[str, object]:
    """SLO first; cost at the budget means something only where it was met."""
    met = [row.at_budget for row in rows if row.slo_met]
    return {
        "group": title,
        "traces": len(rows),
        "slo_met": len(met),
        "at_budget_where_met": geometric_mean(met),
        "at_budget_most": max(met, default=float("nan")),
        "at_budget_all": geometric_mean([row.at_budget for row in rows]),
        "vs_best_all": geometric_mean([row.vs_best for row in rows]),
        "us_per_decision_median": float(np.median([row.us_per_decision for row in rows])),
    }


def table(rows: Sequence[Figures]) -> str:
    """Markdown, one row a trace."""
    head = (
        "| trace | attainment | SLO met | missed | cost_x | at_budget | vs_hpa | vs_best | us/decision |\n|---|"
        + "---:|" * 8
    )
    lines = [
        f"| {row.trace} | {row.attainment:.1%} | {'yes' if row.slo_met else 'NO'} | {row.miss:.3%} | {row.cost_x:.3f} "
        f"| {row.at_budget:.3f} | {row.vs_hpa:.3f} | {row.vs_best:.3f} | {row.us_per_decision:.0f} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def groups(rows: Sequence[Figures]) -> list[dict[str, object]]:
    """The listed traces, the smooth ones among them, and all the others."""
    picked = (
        ("listed", [row for row in rows if row.trace in ATTAINMENTS]),
        ("smooth", [row for row in rows if row.trace in SMOOTH]),
        ("others", [row for row in rows if row.trace not in ATTAINMENTS]),
    )
    return [summary(some, title) for title, some in picked if some]


def usable(folder: Path) -> list[tuple[Path, LoadHistory, timedelta]]:
    """The traces that can be judged; those that cannot are named."""
    found = []
    for path in csv_files(folder):
        try:
            history = read_trace(path).requests
        except TraceError as fault:
            print(f"skipped: {fault}")
            continue
        warmup = warmup_of(history)
        if warmup is None:
            print(f"skipped: {path.name}: {len(history) * history.step} is too short to learn from and to judge")
        elif capacity_of(history) <= 0.0:
            print(f"skipped: {path.name}: {NO_CAPACITY}")
        else:
            found.append((path, history, warmup))
    return found


def main() -> None:
    """Print the tables, and write them as data where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--startup", type=float, nargs="+", default=[300.0])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    traces, judge = usable(arguments.traces), scorer()
    if not traces:
        raise SystemExit(f"{arguments.traces}: no trace here can be judged")
    results = []
    for startup in arguments.startup:
        figures(*traces[0], startup, judge)  # compiled now, so that no trace is charged for it
        rows = [figures(path, history, warmup, startup, judge) for path, history, warmup in traces]
        print(f"\n## Time to ready {startup:g} s\n\n{table(rows)}\n")
        summaries = groups(rows)
        for line in summaries:
            print(
                ", ".join(
                    f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}"
                    for key, value in line.items()
                )
            )
        results.append({"startup": startup, "traces": [asdict(row) for row in rows], "groups": summaries})
    write_json(arguments.json, {"results": results})


if __name__ == "__main__":
    main()
