"""Seconds and memory of `trimtab recommend` for 50 workloads with 28 days at 5-minute resolution in a real Prometheus.

The history is the bundled traces, each repeated to 28 days, delayed and scaled so that no two workloads
are alike, stored as the series that our recording rules keep. Latency and replicas are made up from the
load, since the traces hold arrivals only: speed is measured here, not the quality of an answer.

    python benchmarks/fleet.py [--workloads 50] [--days 28] [--times 3] [--json OUT]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import yaml

from benchmarks.measure import ROOT, median_run, write_json
from domain.load import Floats
from monitor.recorded import read_trace
from trimtab.demo.exposition import series
from trimtab.demo.processes import Processes, free_port
from trimtab.demo.tsdb import blocks_from_text, start_prometheus, write_text

STEP_S = 300
TRACES = ("azfn_bd33", "azfn_704b", "servegen_large_c48", "elb_requests", "azfn_83c5", "servegen_small_c36")


def load_of(index: int, steps: int) -> Floats:
    """Requests/s of one workload on the 5-minute grid, `steps` long; a gap stays NaN."""
    trace = read_trace(ROOT / "examples" / "traces" / f"{TRACES[index % len(TRACES)]}.csv.gz").requests
    every = max(1, int(STEP_S // trace.step_s))
    rate = trace.values[: len(trace) // every * every].reshape(-1, every).mean(axis=1)
    rate = np.repeat(rate, max(1, int(trace.step_s // STEP_S)))
    return np.asarray(np.roll(np.resize(rate, steps), 37 * index) * (1 + index / 10), dtype=np.float64)


def lines(workloads: int, steps: int, end_s: float) -> Iterator[str]:
    """The recorded series of all workloads as OpenMetrics text."""
    times: Floats = np.arange(steps - 1, -1, -1, dtype=np.float64) * -STEP_S + end_s
    loads = [load_of(index, steps) for index in range(workloads)]
    labels = [{"service": f"service{index}", "model": f"model{index}"} for index in range(workloads)]
    made: dict[str, Callable[[Floats], Floats]] = {
        "service_model:ai_requests:rate5m": lambda load: load,
        "service_model:ai_request_errors:ratio_rate5m": lambda load: load * 0.0,
        "service_model:ai_request_duration_seconds:p95_rate5m": lambda load: 0.2 + 0.1 * load / float(np.nanmax(load)),
        "service_model:ai_replicas_ready:count": lambda load: load * 0.0 + 12.0,
    }
    for name, values_of in made.items():
        yield f"# TYPE {name} gauge"
        for one, load in zip(labels, loads, strict=True):
            known = np.isfinite(load)
            yield from series(name, one, times[known], values_of(load)[known])
    # Discovery asks for the server's own counter: one scrape of each is enough to be known.
    yield "# TYPE ai_requests counter"
    for one, load in zip(labels, loads, strict=True):
        for age in (600.0, 300.0, 0.0):
            arrived = 1e6 - age * float(np.nanmean(load))
            yield from series(
                "ai_requests_total",
                {**one, "endpoint": "/predict", "status": "200"},
                times[-1:] - age,
                np.array([arrived]),
            )
    yield "# EOF"


def settings(url: str, workloads: int, folder: Path) -> Path:
    """A settings file that declares the capacity of each workload and how it runs today."""
    file = folder / "trimtab.yaml"
    declared = [
        {
            "id": f"service{index}:model{index}",
            "match": {"service": f"service{index}", "model": f"model{index}"},
            "capacity_rps": float(np.nanmean(load_of(index, 2016)) / 10),
            "mode": "dedicated",
            "offer": "m5.large",
            "replicas": 12,
        }
        for index in range(workloads)
    ]
    body = {
        "prometheus": {"url": url},
        "history": {"lookback_days": 28, "step_s": STEP_S},
        "store": {"url": f"sqlite:///{folder / 'trimtab.db'}"},
        "workloads": declared,
    }
    file.write_text(yaml.safe_dump(body, sort_keys=False), encoding="utf-8")
    return file


def main() -> None:
    """Back-fill, start the server, run the command and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=int, default=50)
    parser.add_argument("--days", type=float, default=28)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    steps = int(options.days * 86400 // STEP_S)
    with tempfile.TemporaryDirectory() as name, Processes(Path(name)) as processes:
        folder = Path(name)
        end_s = float(int(time.time()) // STEP_S * STEP_S)
        write_text(lines(options.workloads, steps, end_s), folder / "history.om")
        blocks_from_text(processes, folder / "history.om", folder / "data")
        (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
        port = free_port()
        start_prometheus(processes, folder / "prometheus.yml", folder / "data", port)
        config = settings(f"http://127.0.0.1:{port}", options.workloads, folder)
        trimtab = str(ROOT / ".venv" / "bin" / "trimtab")
        seconds, peak_mb, last = median_run(
            [trimtab, "recommend", "--config", str(config), "--output", "json"], options.times
        )
    answers = json.loads(last.stdout)
    kinds = [one["kind"] for one in answers]
    print(f"{options.workloads} workloads x {options.days:g} days at {STEP_S} s")
    print(f"median of {options.times}: {seconds:.1f} s, at most {peak_mb:.0f} MB in the whole process tree")
    print(f"{len(kinds)} recommendations: {kinds.count('act')} act, {kinds.count('hold')} hold")
    write_json(
        options.json, {"seconds": seconds, "peak_mb": peak_mb, "acts": kinds.count("act"), "holds": kinds.count("hold")}
    )


if __name__ == "__main__":
    main()
