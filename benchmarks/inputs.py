"""What it takes to keep the inputs of every decision: bytes and milliseconds, 50 workloads, 28 days at 5 minutes, four signals.

The loads are those of `benchmarks/fleet.py` (the bundled traces, repeated, delayed and scaled); latency, errors and
replicas are made of them with noise, so that they pack no better than measured ones. The recommendations
are short stand-ins: what is decided is not measured here, only the keeping of what it rests on.

    python benchmarks/inputs.py [--workloads 50] [--cycles 12] [--json OUT]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.fleet import STEP_S, load_of
from benchmarks.measure import write_json
from domain.capacity import ReadyBasis, TimeToReady
from domain.load import Floats, LoadHistory
from domain.observation import Observation, RunningState
from domain.plan import Evidence, Hold, recommendation_id
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ServingMode, Workload
from optimizer.options import Options
from trimtab.inputs import Inputs
from trimtab.prices import bundled
from trimtab.records import Record
from trimtab.store.database import open_database
from trimtab.store.inputs import InputStore, Size
from trimtab.store.recommendations import Recommendations

DAYS = 28
STEP = timedelta(seconds=STEP_S)
STEPS = DAYS * 86400 // STEP_S
BEGIN = datetime(2026, 11, 1, 13, 5, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
READY = TimeToReady(
    p50=MINUTE, p90=2 * MINUTE, longest=3 * MINUTE, basis=ReadyBasis.MEASURED, samples=9, detail="measured"
)


def signals(index: int, steps: int) -> list[Floats]:
    """Load, latency, errors and replicas of one workload, `steps` long."""
    load = load_of(index, steps)
    noise = np.random.default_rng(index)
    busy = load / float(np.nanmax(load))
    errors = np.where(noise.random(steps) < 0.05, noise.random(steps) / 100, 0.0)
    return [load, 0.2 + 0.1 * busy * noise.normal(1, 0.1, steps), errors, np.ceil(12 * busy)]


def observation(index: int, whole: list[Floats], cycle: int) -> Observation:
    """What the cycle of that number sees of a workload."""
    histories = [
        LoadHistory(start=BEGIN + cycle * STEP, step=STEP, values=each[cycle : cycle + STEPS]) for each in whole
    ]
    name = f"service{index}:model{index}"
    return Observation(
        workload=Workload(id=name, runtime="trimtab-serving", labels={"service": name}),
        observed_at=histories[0].end,
        source="Prometheus http://127.0.0.1:9090",
        load=histories[0],
        latency=histories[1],
        errors=histories[2],
        replicas=histories[3],
        time_to_ready=READY,
        service_time_s=0.2 + index / 1000,
        declared_capacity_rps=Unknown("no capacity is declared"),
        running=RunningState(
            replicas=12, mode=ServingMode.DEDICATED, offer="m5.large", purchase=PurchaseMix(on_demand=12.0)
        ),
    )


def hold(seen: Observation) -> Hold:
    """A recommendation to hang the inputs on."""
    return Hold(
        id=recommendation_id(seen.workload.id, seen.observed_at),
        workload=seen.workload.id,
        created_at=seen.observed_at,
        valid_until=seen.observed_at + timedelta(hours=6),
        current=Unknown("not asked"),
        last_good=1,
        needs="nothing",
        reasons=(),
        evidence=Evidence(inputs_sha256="0" * 64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Of each cycle the processor's seconds and the bytes written; at the end what is stored, and reading one back."""

    seconds: list[float]
    written: list[int]
    size: Size
    reading_s: float


def cycles(workloads: int, count: int, folder: Path) -> Measured:
    """Keep the inputs of so many cycles in a store, pruning after each as the program does."""
    whole = [signals(index, STEPS + count) for index in range(workloads)]
    book, options = bundled(), Options()
    database = open_database(f"sqlite:///{folder}/trimtab.db")
    kept, store = Recommendations(database), InputStore(database)
    seconds, written = [], []
    for cycle in range(count):
        before = {record.recommendation.workload: record.recommendation for record in kept.newest()}
        seen = [observation(index, each, cycle) for index, each in enumerate(whole)]
        decided = {
            hold(each).id: Inputs(observation=each, book=book, options=options, previous=before.get(each.workload.id))
            for each in seen
        }
        kept.keep([Record(recommendation=hold(each), observed_at=each.observed_at) for each in seen])
        already = store.size()
        begun = time.process_time()
        store.keep(decided)
        kept_s, now = time.process_time() - begun, store.size()
        written.append(now.own_bytes - already.own_bytes + now.piece_bytes - already.piece_bytes)
        begun = time.process_time()
        store.prune()
        seconds.append(kept_s + time.process_time() - begun)
    begun = time.process_time()
    if store.of(next(iter(decided))) is None:
        raise SystemExit("the inputs of the newest recommendation are not there")
    measured = Measured(seconds=seconds, written=written, size=store.size(), reading_s=time.process_time() - begun)
    database.close()
    return measured


def main() -> None:
    """Run the cycles and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=int, default=50)
    parser.add_argument("--cycles", type=int, default=13)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = cycles(options.workloads, options.cycles, Path(folder))
    size = measured.size
    figures = {
        "bytes_per_recommendation": round((size.own_bytes + size.piece_bytes) / size.recommendations),
        "bytes_written_each_cycle": round(statistics.median(measured.written[1:]) / options.workloads),
        "first_cycle_s": round(measured.seconds[0], 2),
        "cycle_s": round(statistics.median(measured.seconds[1:]), 2),
        "read_one_s": round(measured.reading_s, 3),
    }
    said = {
        "bytes_per_recommendation": f"bytes kept for one (its arrays alone are {4 * STEPS * 8:,} bytes as they are)",
        "bytes_written_each_cycle": "bytes written for one in each later cycle",
        "first_cycle_s": "the first cycle, in seconds of one processor",
        "cycle_s": f"each later cycle (median of {options.cycles - 1})",
        "read_one_s": "to read the inputs of one back",
    }
    print(f"{options.workloads} workloads x {DAYS} days at {STEP_S} s, four signals, {options.cycles} cycles\n")
    print("| inputs of decisions | measured |\n|---|---:|")
    for name, text in said.items():
        print(f"| {text} | {figures[name]:,} |")
    write_json(options.json, figures)


if __name__ == "__main__":
    main()
