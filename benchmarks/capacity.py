"""Is the capacity that is learned from metrics the one that clients feel? A real load test of our own server.

The server runs one worker whose inferences take 20 ms (an ONNX model, stretched by `--service-time-ms`). Clients that do
not wait send Poisson arrivals at nine rates; a real Prometheus scrapes the server each second; the capacity is then learned from
nothing but the profile's PromQL (`monitor.observe`, `optimizer.capacity`). Independently, clients look for the knee: the
rate at which the 95th percentile of what they waited reaches the SLO, by bisection, read from a line through the probes.
The rates rise, the probes follow, and the rates fall again, so that whatever else the machine does meets both alike.

    python benchmarks/capacity.py [--runs 3] [--seconds 8] [--json OUT]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sys import executable as python

import numpy as np
import yaml

from benchmarks.measure import write_json
from benchmarks.openloop import Offered, offer
from domain.capacity import CapacityModel
from domain.observation import Declared
from domain.workload import Slo, Workload
from monitor.observe import observe
from monitor.prometheus import PrometheusSource
from optimizer.capacity import CapacityOptions, CapacityStudy, in_usual_requests, studied
from trimtab.demo.processes import Processes, answers, free_port, loopback
from trimtab.demo.tsdb import start_prometheus

SERVICE_MS, SLO_S, QUANTILE = 20.0, 0.25, 0.95
RATES_RPS = (12.0, 20.0, 28.0, 34.0, 38.0, 41.0, 43.0, 45.0, 47.0)
PROBES, PROBE_FACTOR = 5, 1.3  # probes of the knee, each so much longer than a rate of the load test
BETWEEN_RPS = (30.0, 50.0)
SECOND, WINDOW = timedelta(seconds=1), timedelta(seconds=10)
NEAR = 3.0  # times the SLO, and its inverse: probes outside say little about where it is crossed
FEWEST_NEAR = 3
BODY = {"model_id": "digits", "input_data": [[0.5] * 64]}
WORKLOAD = Workload(
    id="bench:digits",
    runtime="trimtab-serving",
    labels={"service": "bench", "model": "digits"},
    slo=Slo(latency=timedelta(seconds=SLO_S), latency_quantile=QUANTILE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One load test: what was learned, what clients measured (requests/s), and the levels it rests on."""

    learned_rps: float
    low_rps: float
    high_rps: float | None
    basis: str
    fit: str
    measured_rps: float
    levels: list[dict[str, float]]
    probes: list[dict[str, float]]

    @property
    def ratio(self) -> float:
        """Learned over measured."""
        return self.learned_rps / self.measured_rps


def one_run(processes: Processes, folder: Path, seconds: float, seed: int) -> Run:
    """Start a server and a Prometheus, load them, learn, and let clients look for the knee."""
    serving, prometheus = free_port(), free_port()
    model = processes.start(f"serving-{seed}", [
        python, "-m", "serving", "--port", str(serving), "--service", "bench", "--workers", "1",
        "--service-time-ms", str(SERVICE_MS), "--drain-seconds", "0",
    ])  # fmt: skip
    config = folder / f"prometheus-{seed}.yml"
    scrape = {"job_name": "serving", "static_configs": [{"targets": [f"127.0.0.1:{serving}"]}]}
    config.write_text(yaml.safe_dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [scrape]}))
    server = start_prometheus(processes, config, folder / f"data-{seed}", prometheus, name=f"prometheus-{seed}")
    url, predict = f"http://127.0.0.1:{prometheus}", f"http://127.0.0.1:{serving}/predict"
    processes.wait_until(lambda: answers(f"http://127.0.0.1:{serving}/ready"), "the model server")
    processes.wait_until(lambda: scraped(url), "the first scrape")
    began = time.time()
    rising = [(rate, seconds / 2) for rate in RATES_RPS]
    levels = offer(predict, BODY, rising, seed)
    probes = probed(predict, seconds * PROBE_FACTOR, seed)
    levels += offer(predict, BODY, rising[::-1], seed + 500)
    time.sleep(2.0)  # the last scrape
    study = learned(url, time.time() - began)
    for child in (server, model):
        processes.stop(child)
    capacity = study.capacity
    if not isinstance(capacity, CapacityModel):
        raise SystemExit(f"nothing was learned: {capacity.reason}")
    return Run(
        learned_rps=capacity.rate_rps,
        low_rps=capacity.low_rps,
        high_rps=capacity.high_rps,
        basis=str(capacity.basis),
        fit=study.learned.fits[0].name,
        measured_rps=knee(probes),
        levels=[told(level) for level in levels],
        probes=[told(probe) for probe in probes],
    )


def scraped(url: str) -> bool:
    """Whether Prometheus knows the server."""
    answer = loopback().get(f"{url}/api/v1/query", params={"query": 'ai_ready{service="bench"} == 1'})
    return bool(answer.is_success and answer.json()["data"]["result"])


def learned(url: str, lasted_s: float) -> CapacityStudy:
    """What the last `lasted_s` seconds of metrics say."""
    source = PrometheusSource(url, shortest_window=WINDOW)
    observation = observe(
        source,
        WORKLOAD,
        at=datetime.now(UTC),
        lookback=timedelta(seconds=int(lasted_s)),
        step=SECOND,
        declared=Declared(time_to_ready=SECOND),
        resources=False,
    )
    options = CapacityOptions()
    return studied(in_usual_requests(observation, options), options)


def probed(predict: str, seconds: float, seed: int) -> list[Offered]:
    """Bisection of the offered rate at which clients wait as long as the SLO allows."""
    low, high = BETWEEN_RPS
    found = []
    for step in range(PROBES):
        rate = (low + high) / 2
        (probe,) = offer(predict, BODY, [(rate, seconds)], 1000 * seed + step)
        found.append(probe)
        low, high = (rate, high) if probe.quantile_s(QUANTILE) <= SLO_S else (low, rate)
    return found


def knee(probes: list[Offered]) -> float:
    """Requests/s at the SLO on the line through the probes near it (rate over log latency); their middle where few are."""
    waited = np.array([probe.quantile_s(QUANTILE) for probe in probes])
    sent = np.array([probe.sent_rps for probe in probes])
    near = np.abs(np.log(waited / SLO_S)) < np.log(NEAR)
    if near.sum() < FEWEST_NEAR:
        held, missed = sent[waited <= SLO_S], sent[waited > SLO_S]
        return float(held.max(initial=BETWEEN_RPS[0]) + missed.min(initial=BETWEEN_RPS[1])) / 2
    return float(np.polyfit(np.log(waited[near] / SLO_S), sent[near], 1)[1])


def told(offered: Offered) -> dict[str, float]:
    """A level as data."""
    return {
        "asked_rps": offered.asked_rps,
        "sent_rps": offered.sent_rps,
        "p95_s": offered.quantile_s(QUANTILE),
        "failed": offered.failed,
    }


def main() -> None:
    """Run, and print what was learned beside what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8.0, help="seconds at each rate (%(default)s)")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"one worker, {SERVICE_MS:g} ms an inference, p95 within {1000 * SLO_S:g} ms; {len(RATES_RPS)} rates\n")
    print("| run | learned, requests/s | interval | basis | measured by clients | learned / measured |")
    print("|---|---:|---|---|---:|---:|")
    runs, began = [], time.monotonic()
    with tempfile.TemporaryDirectory() as name, Processes(Path(name)) as processes:
        for seed in range(1, options.runs + 1):
            run = one_run(processes, Path(name), options.seconds, seed)
            runs.append(run)
            high = "-" if run.high_rps is None else f"{run.high_rps:.1f}"
            print(
                f"| {seed} | {run.learned_rps:.1f} | {run.low_rps:.1f} to {high} | {run.basis}, {run.fit} "
                f"| {run.measured_rps:.1f} | {run.ratio:.3f} |",
                flush=True,
            )
    ratio = statistics.median(run.ratio for run in runs)
    print(f"\nmedian of learned / measured: {ratio:.3f}; all of it took {time.monotonic() - began:.0f} s")
    write_json(options.json, {"ratio": ratio, "runs": [asdict(run) | {"ratio": run.ratio} for run in runs]})


if __name__ == "__main__":
    main()
