"""Anomaly pages on recorded traces against labelled windows: ours, a z-score and a seasonal ESD test.

A page begins at the first step that is out of the ordinary after a quiet day. A labelled window is found if a page
begins within it; a page that begins elsewhere is a false one, also on traces that nobody has labelled. `labels.json` in
the folder of the traces has the windows (`anomaly_windows`, and `partial_capture_windows`, in which nothing may page).
Spend is replayed on the same traces, with leaks injected (`benchmarks.anomaly_spend`).

    python benchmarks/anomalies.py [--traces DIR] [--json OUT] [--chart TRACE 2014-10-27 9 OUT.png]

With --chart a picture of so many days of one trace is drawn instead.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import anomaly_spend
from benchmarks.anomaly_chart import draw
from benchmarks.anomaly_methods import FIRST, Scores, ours, seasonal_esd, z_score
from benchmarks.anomaly_spend import spend_outcome
from benchmarks.measure import ROOT, csv_files, write_json
from domain.errors import TraceError
from domain.load import LoadHistory
from domain.unknown import Unknown
from monitor.recorded import name_of, read_trace
from optimizer.anomalies.reading import EPISODE
from optimizer.anomalies.watch import seen_in_steps

TRACES = ROOT / "examples" / "traces"
LEAST = FIRST + timedelta(days=1)
MIN_REQUESTS = 20  # the default of rules.min_requests
WEEK = timedelta(days=7)
METHODS = ("trimtab", "z-score", "S-H-ESD")
RATES = (0.1, 0.25, 0.5, 1.0)  # false pages a week at which the methods are compared
STRICTNESS = np.geomspace(0.1, 20.0, 120)  # thresholds that are tried, in units of the first
WINDOWS = ("anomaly_windows", "partial_capture_windows")

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """A history in the steps that are judged, with what is known of it; `counted` says that it counts requests."""

    name: str
    history: LoadHistory
    counted: bool
    anomalies: tuple[Window, ...]
    partial: tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One method on one trace: labelled windows and how many were found, pages beside them, weeks judged."""

    windows: int
    found: int
    false: int
    partial: int
    weeks: float


def traces_of(folder: Path) -> Iterator[Trace]:
    """The traces of six days or more; the others are named."""
    labels_file = folder / "labels.json"
    labels = json.loads(labels_file.read_text(encoding="utf-8")) if labels_file.is_file() else {}
    for path in csv_files(folder):
        try:
            history, counted = _read(path)
        except (TraceError, ValueError, OSError) as fault:
            print(f"skipped {path.name}: {fault}")
            continue
        seen = seen_in_steps(history)
        if isinstance(seen, Unknown) or len(seen) * seen.step < LEAST:
            why = seen.reason if isinstance(seen, Unknown) else f"{len(seen) * seen.step} is under {LEAST}"
            print(f"skipped {path.name}: {why}")
            continue
        if not seen.coverage:
            print(f"skipped {path.name}: nothing is known in it")
            continue
        anomalies, partial = (_windows(labels.get(name_of(path), {}).get(kind, ())) for kind in WINDOWS)
        yield Trace(name=name_of(path), history=seen, counted=counted, anomalies=anomalies, partial=partial)


def _read(path: Path) -> tuple[LoadHistory, bool]:
    """Requests/s of a trace, or the gauge of one with a column `value`, and whether it was the former."""
    table = pd.read_csv(path)
    if "value" not in table or "timestamp" not in table or len(table) < 2:
        return read_trace(path).requests, True
    at = pd.to_datetime(table["timestamp"], format="ISO8601")
    step = at.diff().mode()[0]
    places = ((at - at.iloc[0]) / step).round().astype(int).to_numpy()
    values = np.full(places[-1] + 1, np.nan)
    values[places] = table["value"].to_numpy(dtype=np.float64)
    return LoadHistory(start=at.iloc[0].to_pydatetime(), step=step.to_pytimedelta(), values=values), False


def _windows(pairs: Sequence[Sequence[str]]) -> tuple[Window, ...]:
    return tuple((datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in pairs)


def pages(held: NDArray[np.bool_], step: timedelta) -> list[int]:
    """The steps at which pages begin: those that hold after a day in which none did."""
    at = np.flatnonzero(held).tolist()
    later = [place for before, place in itertools.pairwise(at) if (place - before) * step > EPISODE]
    return [*at[:1], *later]


def outcome(trace: Trace, scores: Scores, held: NDArray[np.bool_]) -> Outcome:
    """Pages against labels; `held` are the steps that are out of the ordinary."""
    history = trace.history
    begins = [history.start + place * history.step for place in pages(held, history.step)]

    def within(moment: datetime, window: Window) -> bool:
        return window[0] - history.step < moment <= window[1]

    return Outcome(
        windows=len(trace.anomalies),
        found=sum(any(within(moment, window) for moment in begins) for window in trace.anomalies),
        false=sum(not any(within(moment, window) for window in trace.anomalies) for moment in begins),
        partial=sum(any(within(moment, window) for window in trace.partial) for moment in begins),
        weeks=float(np.isfinite(scores.score).sum() * history.step / WEEK),
    )


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """The sum of several."""
    return Outcome(**{name: sum(asdict(each)[name] for each in outcomes) for name in Outcome.__slots__})


Curve = Sequence[Mapping[str, Outcome]]
"""For each threshold that is tried the outcome of each trace, by name."""


def curve_of(judged: Sequence[tuple[Trace, Mapping[str, Scores]]], method: str) -> Curve:
    """The method on every trace at every threshold; those of S-H-ESD, which counts MADs, are larger."""
    unit = 5.0 if method == "S-H-ESD" else 1.0
    return [
        {trace.name: outcome(trace, scores[method], scores[method].score > threshold) for trace, scores in judged}
        for threshold in unit * STRICTNESS
    ]


def best_at(curve: Curve, rate: float, names: Collection[str]) -> int | None:
    """The place of the threshold that finds most on these traces at no more than `rate` false pages a week."""
    sums = [together([by[name] for name in names]) for by in curve]
    allowed = [place for place, point in enumerate(sums) if point.weeks and point.false / point.weeks <= rate]
    return max(allowed, key=lambda place: (sums[place].found, -sums[place].false), default=None)


def at_rate(curve: Curve, rate: float) -> Outcome | None:
    """The best recall at no more than `rate`, one threshold for all traces."""
    place = best_at(curve, rate, curve[0].keys())
    return None if place is None else together(list(curve[place].values()))


def left_out(curve: Curve, rate: float) -> Outcome | None:
    """Each trace at the threshold that is best for those of another source: what one learned elsewhere comes to."""
    done = []
    for name in curve[0]:
        place = best_at(curve, rate, {other for other in curve[0] if source_of(other) != source_of(name)})
        if place is None:
            return None
        done.append(curve[place][name])
    return together(done)


def source_of(name: str) -> str:
    """What traces of one origin have in common: the first word of their names."""
    return name.partition("_")[0]


def too_many(rows: Mapping[str, Mapping[str, Outcome]]) -> str:
    """For each method the traces on which it pages falsely more than once a week."""
    lines = []
    for method in METHODS:
        over = [name for name, by in rows.items() if by[method].false > by[method].weeks]
        lines.append(f"{method}: {len(over)} of {len(rows)} traces ({', '.join(over) or 'none'})")
    return "false pages more than once a week\n\n" + "\n".join(lines)


def table(rows: Mapping[str, Mapping[str, Outcome]]) -> str:
    """One line a trace, three columns a method: found, false pages, false pages a week."""
    lines = [
        "| trace | windows | " + " | ".join(f"{method} found | false | a week" for method in METHODS) + " |",
        "|---|---|" + "---|" * 3 * len(METHODS),
    ]
    for name, by in rows.items():
        cells = [
            f"{one.found} | {one.false} | {one.false / one.weeks:.2f}" if one.weeks else "- | - | -"
            for one in by.values()
        ]
        lines.append(f"| {name} | {next(iter(by.values())).windows or '-'} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def rate_table(curves: Mapping[str, Curve]) -> str:
    """What each method finds at the same false pages a week, and with the threshold learned on other sources."""
    heads = " | ".join(f"{method} found | learned on other sources" for method in METHODS)
    lines = [f"| false pages a week, at most | {heads} |", "|---|" + "---|" * 2 * len(METHODS)]
    for rate in RATES:
        cells = [_cell(each(curves[method], rate)) for method in METHODS for each in (at_rate, left_out)]
        lines.append(f"| {rate:g} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(one: Outcome | None) -> str:
    return "-" if one is None or not one.weeks else f"{one.found} at {one.false / one.weeks:.2f}"


def _body(one: Outcome | None) -> dict[str, float] | None:
    return None if one is None else asdict(one)


def judge(trace: Trace) -> Mapping[str, Scores]:
    """Every method on one trace."""
    ways: Mapping[str, Callable[[], Scores]] = {
        "trimtab": lambda: ours(trace.history, MIN_REQUESTS if trace.counted else 0.0),
        "z-score": lambda: z_score(trace.history),
        "S-H-ESD": lambda: seasonal_esd(trace.history),
    }
    done = {}
    for method in METHODS:
        began = time.perf_counter()
        done[method] = ways[method]()
        print(f"{trace.name} {method}: {time.perf_counter() - began:.1f} s", file=sys.stderr)
    return done


def main() -> None:
    """Run and print; every figure also goes to --json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=TRACES)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--chart", nargs=4, metavar=("TRACE", "DAY", "DAYS", "OUT"))
    options = parser.parse_args()
    if options.chart is not None:
        name, first, days, out = options.chart
        path = next((path for path in csv_files(options.traces) if name_of(path) == name), None)
        if path is None:
            raise SystemExit(f"{options.traces} holds no trace {name}")
        history, _ = _read(path)
        draw(name, history, datetime.fromisoformat(first).replace(tzinfo=UTC), int(days), Path(out))
        return
    judged = [(trace, judge(trace)) for trace in traces_of(options.traces)]
    if not judged:
        raise SystemExit(f"{options.traces} holds no usable trace")
    rows = {
        trace.name: {method: outcome(trace, scores[method], scores[method].own) for method in METHODS}
        for trace, scores in judged
    }
    labelled = [(trace, scores) for trace, scores in judged if trace.anomalies]
    names = {trace.name for trace, _ in labelled}
    groups = {"labelled": [rows[name] for name in rows if name in names], "all": list(rows.values())}
    sums = {
        f"**{group}, together**": {method: together([by[method] for by in each]) for method in METHODS}
        for group, each in groups.items()
        if each
    }
    curves = {method: curve_of(labelled, method) for method in METHODS} if labelled else {}
    print(table({**rows, **sums}))
    print("\n" + too_many(rows))
    print("\n" + rate_table(curves) if labelled else "\nno trace of these has labelled windows")
    spent = {
        scaler: {trace.name: spend_outcome(trace.history, replicas(trace.history), pages) for trace, _ in judged}
        for scaler, replicas in anomaly_spend.SCALERS.items()
    }
    print(f"\nspend: replicas of each scaler, and leaks injected into them\n\n{anomaly_spend.scaler_table(spent)}")
    print(f"\nspend where the HPA scales\n\n{anomaly_spend.spend_table(spent['HPA'])}")
    inside = {method: sum(by[method].partial for by in rows.values()) for method in METHODS}
    print(f"\npages in {sum(len(trace.partial) for trace, _ in judged)} windows of partial capture: {inside}")
    write_json(
        options.json,
        {
            "traces": {name: {method: asdict(one) for method, one in by.items()} for name, by in rows.items()},
            "together": {name: {method: asdict(one) for method, one in by.items()} for name, by in sums.items()},
            "at_equal_rates": {
                method: {str(rate): _body(at_rate(curve, rate)) for rate in RATES} for method, curve in curves.items()
            },
            "learned_on_other_sources": {
                method: {str(rate): _body(left_out(curve, rate)) for rate in RATES} for method, curve in curves.items()
            },
            "pages_in_partial_capture": inside,
            "spend": {scaler: anomaly_spend.bodies(by) for scaler, by in spent.items()},
        },
    )


if __name__ == "__main__":
    main()
