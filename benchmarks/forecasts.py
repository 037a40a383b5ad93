"""Day-ahead forecasts of hourly means on every trace of ten days or more: of requests, and of gauges (`value`).

An origin a day through the last half of each trace. The path is compared with the better of same time
yesterday and same time last week, chosen in hindsight for each trace; the p95 by pinball loss with the
p95 of the same hour over the last 14 days; coverage with its level. Means are given over the traces of
requests, which are what Trimtab forecasts, and over all. Random origins prove that nothing after an origin is used. With --peers AutoETS, MSTL (statsforecast) and Prophet are installed into a
folder of their own and stand in the table, on at most --peer-origins origins a trace, where our path is
judged on the same ones.

    python benchmarks/forecasts.py [--traces DIR] [--quick] [--peers] [--peer-origins 7] [--json OUT]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import itertools
import json
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.forecast_scores import DAY_H, WEEK_H, Hours, Score, geometric_mean, hours_of, score
from benchmarks.measure import ROOT, csv_files, write_json
from domain.errors import TraceError
from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from monitor.recorded import name_of, read_trace
from optimizer.forecast import forecast
from optimizer.rolling import Backtest, backtest, seen_at

TRACES = ROOT / "examples" / "traces"
PEERS_HOME = ROOT / "build" / "forecast_peers"
PEERS = ("statsforecast", "prophet")
LEAST = timedelta(days=10)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One trace: requests/s, or a gauge (CPU, network, a KPI) as it stands in the file."""

    name: str
    history: LoadHistory
    gauge: bool


def usable(folder: Path) -> list[Recorded]:
    """Traces of ten days or more; the others are named."""
    found = []
    for path in csv_files(folder):
        try:
            trace = recorded(path)
        except TraceError as fault:
            print(f"skipped {path.name}: {fault}")
            continue
        length = len(trace.history) * trace.history.step
        if length < LEAST:
            print(f"skipped {path.name}: {length} is under {LEAST}")
            continue
        found.append(trace)
    return found


def recorded(path: Path) -> Recorded:
    """Requests where the file has them, else its `value`; TraceError where it has neither."""
    try:
        return Recorded(name=name_of(path), history=read_trace(path).requests, gauge=False)
    except TraceError as fault:
        if "has no column 'requests'" not in str(fault):
            raise
        with gzip.open(path, "rt") as file:
            rows = list(csv.DictReader(file))
        if not rows or "value" not in rows[0]:
            raise
        return Recorded(name=name_of(path), history=_gauge(rows), gauge=True)


def _gauge(rows: Sequence[Mapping[str, str]]) -> LoadHistory:
    """Values that may be negative and whose clock may drift, each at the step of their median spacing that it falls in."""
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    step = statistics.median_low([later - earlier for earlier, later in itertools.pairwise(moments)])
    places = [int((moment - moments[0]) / step + 1e-6) for moment in moments]
    values = np.full(places[-1] + 1, np.nan)
    values[places] = [float(row["value"] or "nan") for row in rows]
    return LoadHistory(start=moments[0], step=step, values=values)


def judged(history: LoadHistory, result: Backtest) -> Score | Unknown:
    """Our folds against what came; Unknown where nothing can be compared."""
    quantiles = np.stack([fold.forecast.quantiles for fold in result.folds], axis=1)
    moments = [fold.forecast.origin for fold in result.folds]
    return score(hours_of(history), moments, quantiles[0], quantiles[1:])


def causality_breaks(history: LoadHistory, origins: int, seed: int) -> int:
    """How many of so many random origins give another answer when the future is altered or cut off."""
    random = np.random.default_rng(seed)
    hours = int((history.end - history.start) / HOUR)
    broken = 0
    for hour in random.integers(hours // 2, hours - DAY_H, origins):
        moment = history.start.replace(minute=0, second=0, microsecond=0) + int(hour) * HOUR
        seen = len(history.until(moment))
        wild = history.values.copy()
        wild[seen:] = random.random(len(wild) - seen) * 100 * (1 + np.nanmax(wild))
        same = [
            _quantiles(LoadHistory(start=history.start, step=history.step, values=values), moment)
            for values in (history.values, wild, history.values[:seen])
        ]
        broken += not (np.array_equal(same[0], same[1]) and np.array_equal(same[0], same[2]))
    return broken


def _quantiles(history: LoadHistory, moment: datetime) -> Floats:
    made = forecast(seen_at(history, moment, HOUR), steps=DAY_H)
    return np.empty(0) if isinstance(made, Unknown) else made.forecast.quantiles


def seconds_of_fit(history: LoadHistory, times: int) -> Floats:
    """Median seconds of a full fit of 28 days at 5 minutes, and of the next night's from its memory.

    (2, 2): a row each, by the clock and of processor time, which other processes on the machine hardly change.
    """
    step = timedelta(minutes=5)
    rate = history.coarser(step).values if history.step <= step else history.values
    values = np.resize(np.repeat(rate, max(1, history.step // step)), 29 * 288)
    took = []
    for _ in range(times):
        begun = _clocks()
        first = forecast(LoadHistory(start=history.start, step=step, values=values[: 28 * 288]), steps=288)
        fitted = _clocks()
        if isinstance(first, Unknown):
            raise SystemExit(first.reason)
        later = LoadHistory(start=history.start + DAY, step=step, values=values[288:])
        forecast(later, steps=288, memory=first.memory)
        took.append([fitted - begun, _clocks() - fitted])
    return np.asarray(np.median(took, axis=0))


def _clocks() -> Floats:
    return np.array([time.perf_counter(), time.process_time()])


def peers_python() -> Path:
    """The interpreter of the peers' own environment, made on first use."""
    python = PEERS_HOME / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(PEERS)} into {PEERS_HOME}", file=sys.stderr)
        venv.create(PEERS_HOME, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


def peer_paths(python: Path, hours: Hours, moments: Sequence[datetime]) -> dict[str, Floats]:
    """Each peer's paths, (origins, 24), from at most 28 days with gaps filled by the same hour before."""
    series = [_without_gaps(hours.values[: hours.at(moment)])[-4 * WEEK_H :].tolist() for moment in moments]
    worker = Path(__file__).parent / "peers" / "statistical.py"
    done = subprocess.run(
        [python, worker], input=json.dumps({"series": series}), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{worker} failed:\n{done.stderr[-2000:]}")
    return {name: np.array(paths) for name, paths in json.loads(done.stdout).items()}


def _without_gaps(values: Floats) -> Floats:
    filled = values.copy()
    for at in np.flatnonzero(~np.isfinite(filled)):
        before = [filled[at - lag] for lag in (DAY_H, WEEK_H) if at >= lag and np.isfinite(filled[at - lag])]
        filled[at] = before[0] if before else 0.0
    return filled


def peer_versions(python: Path) -> dict[str, str]:
    """The versions that stand in the peers' environment."""
    code = f"from importlib.metadata import version; print(*(version(name) for name in {PEERS!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return dict(zip(PEERS, done.stdout.split(), strict=True))


def peer_scores(python: Path, history: LoadHistory, result: Backtest, most: int) -> dict[str, float]:
    """Error of each peer, and ours, against the better naive forecast, on the same few origins."""
    picked = np.unique(np.linspace(0, len(result.folds) - 1, min(most, len(result.folds))).astype(int))
    folds = [result.folds[place] for place in picked]
    moments = [fold.forecast.origin for fold in folds]
    hours = hours_of(history)
    quantiles = np.stack([fold.forecast.quantiles for fold in folds], axis=1)
    paths = {"trimtab": quantiles[0], **peer_paths(python, hours, moments)}
    made = {name: score(hours, moments, path, quantiles[1:]) for name, path in paths.items()}
    return {name: one.vs_naive for name, one in made.items() if not isinstance(one, Unknown)}


def table(scores: dict[str, Score], winners: dict[str, str]) -> str:
    """Markdown, one row a trace."""
    head = "| trace | origins | MAE / naive | MAE / week | pinball p95 | in p90 | in p95 | in p99 | most trusted |\n"
    lines = [
        f"| {name} | {one.origins} | {one.vs_naive:.3f} | {one.vs_week:.3f} | {one.pinball_p95:.3f} | {one.cover_p90:.3f} "
        f"| {one.cover_p95:.3f} | {one.cover_p99:.3f} | {winners[name]} |"
        for name, one in scores.items()
    ]
    return head + "|---|" + "---:|" * 7 + "---|\n" + "\n".join(lines)


def means_table(sets: Mapping[str, Sequence[Score]]) -> str:
    """Markdown, one row a figure, one column a set of traces."""
    means = [summary(scores) for scores in sets.values()]
    lines = [f"| {key} | " + " | ".join(f"{mean[key]:.3f}" for mean in means) + " |" for key in means[0]]
    heads = [f"{name} ({len(scores)})" for name, scores in sets.items()]
    return f"| figure | {' | '.join(heads)} |\n|---|" + "---:|" * len(sets) + "\n" + "\n".join(lines)


def summary(scores: Sequence[Score]) -> dict[str, float]:
    """Geometric means of the ratios, the largest ratio, mean coverage."""
    return {
        "vs_naive": geometric_mean([one.vs_naive for one in scores]),
        "vs_naive_most": max(one.vs_naive for one in scores),
        "vs_week": geometric_mean([one.vs_week for one in scores]),
        "pinball_p95": geometric_mean([one.pinball_p95 for one in scores]),
        "cover_p90": float(np.mean([one.cover_p90 for one in scores])),
        "cover_p95": float(np.mean([one.cover_p95 for one in scores])),
        "cover_p99": float(np.mean([one.cover_p99 for one in scores])),
    }


def most_trusted(history: LoadHistory) -> str:
    """The candidate of most weight at the end of the trace."""
    made = forecast(seen_at(history, history.end, HOUR), steps=DAY_H)
    return "-" if isinstance(made, Unknown) else max(made.weights, key=lambda pair: pair[1])[0]


def main() -> None:
    """Run and print; every figure also goes to --json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--quick", action="store_true", help="at most 14 origins and 3 random ones a trace")
    parser.add_argument("--peers", action="store_true", help="install and run AutoETS, MSTL and Prophet too")
    parser.add_argument("--peer-origins", type=int, default=7)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    python = peers_python() if options.peers else None
    scores: dict[str, Score] = {}
    winners: dict[str, str] = {}
    peers: dict[str, dict[str, float]] = {}
    breaks: dict[str, int] = {}
    fits: list[Floats] = []
    traces = sorted(usable(options.traces), key=lambda trace: trace.gauge)
    for seed, trace in enumerate(traces):
        name, history = trace.name, trace.history
        result = backtest(history, folds=14 if options.quick else None)
        compared = judged(history, result)
        if isinstance(compared, Unknown):
            print(f"skipped {name}: {compared.reason}")
            continue
        scores[name], winners[name] = compared, most_trusted(history)
        breaks[name] = causality_breaks(history, 3 if options.quick else 20, seed)
        fits.append(seconds_of_fit(history, 3))
        if python is not None and not trace.gauge:
            peers[name] = peer_scores(python, history, result, options.peer_origins)
        print(f"{name}: {scores[name].vs_naive:.3f}", file=sys.stderr)
    if not scores:
        raise SystemExit(f"{options.traces} holds no usable trace")
    traces = [trace for trace in traces if trace.name in scores]
    requests = [scores[trace.name] for trace in traces if not trace.gauge]
    sets = {"requests": requests, "all": list(scores.values())} if requests else {"all": list(scores.values())}
    (full, full_cpu), (again, again_cpu) = np.median(fits, axis=0).tolist()
    print(table(scores, winners))
    print(f"\n{means_table(sets)}\n")
    print(f"random origins whose answer the future changed: {sum(breaks.values())}")
    print(f"full fit of 28 days at 5 min {full:.3f} s, from memory {again:.3f} s (medians)", end="; ")
    print(f"of processor time {full_cpu:.3f} s and {again_cpu:.3f} s")
    peers = {name: row for name, row in peers.items() if row}
    together = {key: geometric_mean([row[key] for row in peers.values()]) for key in next(iter(peers.values()), {})}
    if together:
        print(f"MAE / naive on at most {options.peer_origins} origins a trace: ", end="")
        print("  ".join(f"{key} {value:.3f}" for key, value in together.items()))
    write_json(
        options.json,
        {
            "traces": {
                trace.name: asdict(scores[trace.name]) | {"gauge": trace.gauge, "most_trusted": winners[trace.name]}
                for trace in traces
            },
            "means": {name: summary(members) for name, members in sets.items()},
            "causality": {"changed": breaks},
            "fit_seconds_median": full,
            "refit_seconds_median": again,
            "fit_cpu_seconds_median": full_cpu,
            "refit_cpu_seconds_median": again_cpu,
            "peers": {
                "versions": {} if python is None else peer_versions(python),
                "origins_at_most": options.peer_origins,
                "traces": peers,
                "vs_naive": together,
            },
        },
    )


if __name__ == "__main__":
    main()
