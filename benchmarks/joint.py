"""One plan for 1,000 workloads whose weeks ahead are known: seconds from the forecasts to every recommendation.

The loads are the recordings that come with Trimtab, moved by some hours and scaled, a hundred in all: nine of ten need
half a replica to one and a half at their peaks, the others six to twelve. Ten workloads have each of them: replicas
hold 1, 2, 4 or 8 GiB, a fifth of the workloads belongs to a group that shares among itself, and all run on machines of
their own today. The few gaps of the recordings are taken as idle here: speed is measured, not the answer.

Forecasts are made first and not timed. Timed are, in as many processes as asked for, each workload's modes, purchase
and profile, and then, in one (on several cores), who shares with whom and everybody's recommendation. What a cycle does beside that is left
out: it reads the source, tries forecasts on the past, runs the scaling policy and counts late requests over the history,
prices what would change the answer, replays seven policies, looks for a schedule and a promise, hashes and stores. For scale, `--whole`
decisions are also made one by one from their facts with all of that but reading and storing.

    python benchmarks/joint.py [--workloads 1000] [--processes 2] [--whole 20] [--json OUT]
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from joblib import Parallel, delayed

from benchmarks.measure import ROOT, write_json
from domain.capacity import ReadyBasis, TimeToReady
from domain.load import LoadHistory
from domain.observation import Observation, RunningState
from domain.plan import Act
from domain.unknown import Unknown
from domain.workload import PurchaseMix, Resources, ServingMode, Slo, Workload
from monitor.recorded import read_trace
from optimizer.answer import Case
from optimizer.capacity import CapacityStudy, in_usual_requests, studied
from optimizer.draft import Draft, draft, planned
from optimizer.fleet import Answer, Before, Member, together
from optimizer.modes import Market
from optimizer.options import Options, ReplayOptions
from optimizer.outlook import Outlook, outlook_of
from optimizer.placement import Placement, placement_in, seats_in
from optimizer.proposal import market_of, today_of
from optimizer.settle import settle
from trimtab.prices import bundled

TRACES = ("azfn_bd33", "azfn_704b", "servegen_large_c48", "elb_requests", "servegen_small_c36")
LOADS = 100
STEP, DAYS = timedelta(minutes=10), 14
MINUTE = timedelta(minutes=1)
OPTIONS = Options(replay=ReplayOptions(policies=()), sensitivity=False)
UNASKED = Unknown("not measured here")


class Known(NamedTuple):
    """A workload with its week ahead: what its plan starts from."""

    case: Case
    market: Market
    study: CapacityStudy
    outlook: Outlook


def load_of(number: int) -> LoadHistory:
    """A recording on the 10-minute grid, moved by hours, at a peak (its 99.9th percentile) in replicas' worth of 1 request/s."""
    trace = read_trace(ROOT / "examples" / "traces" / f"{TRACES[number % len(TRACES)]}.csv.gz").requests
    every = max(1, STEP // trace.step)
    steps = DAYS * timedelta(days=1) // STEP
    rate = np.nan_to_num(trace.values[: len(trace) // every * every].reshape(-1, every).mean(axis=1))
    moved = np.roll(np.resize(rate, steps), 37 * number)
    peak = 0.5 + (number % 11) / 10 if number % 10 else 6.0 + number % 7
    return LoadHistory(start=trace.start, step=STEP, values=moved / float(np.quantile(moved, 0.999)) * peak)


def observed(number: int) -> Observation:
    """Workload `number` as Prometheus would tell of it, its capacity declared."""
    load, size = load_of(number % LOADS), number + number // LOADS
    workload = Workload(
        id=f"team{number % 20}:model{number:04}",
        runtime="trimtab-serving",
        slo=Slo(attainment=0.99, latency=timedelta(seconds=2)),
        resources=Resources(cpu_cores=1.0, memory_gib=float(2 ** (size % 4)), model_gib=0.5),
        team=f"team{number % 20}",
        isolation_group="apart" if size % 5 == 0 else None,
    )
    replicas = int(np.ceil(load.values.max()))
    return Observation(
        workload=workload,
        observed_at=load.end,
        source="recordings",
        load=load,
        latency=UNASKED,
        errors=UNASKED,
        replicas=UNASKED,
        time_to_ready=TimeToReady(
            p50=MINUTE, p90=MINUTE, longest=MINUTE, basis=ReadyBasis.ASSUMED, samples=0, detail="assumed"
        ),
        service_time_s=1.0,
        declared_capacity_rps=1.0,
        running=RunningState(
            replicas=replicas,
            mode=ServingMode.DEDICATED,
            offer="m5.xlarge",
            purchase=PurchaseMix(on_demand=float(replicas)),
        ),
    )


def known(number: int) -> Known:
    """Everything up to the forecast."""
    seen, book = observed(number), bundled()
    study = studied(in_usual_requests(seen, OPTIONS.capacity), OPTIONS.capacity)
    market = market_of(seen, study.capacity, book, OPTIONS.modes)
    if isinstance(market, Unknown):
        raise SystemExit(f"workload {number}: {market.reason}")
    current = today_of(seen, market, OPTIONS.replay.window)
    case = Case(observation=seen, options=OPTIONS, previous=None, inputs_sha256=f"{number}", current=current)
    return Known(case, market, study, ahead_of(number % LOADS, market))


FORECAST: dict[int, Outlook] = {}


def ahead_of(load: int, market: Market) -> Outlook:
    """The week ahead of a load, the same for all workloads that have it (in one process)."""
    if load not in FORECAST:
        outlook = outlook_of(load_of(load), market, OPTIONS)
        if isinstance(outlook, Unknown):
            raise SystemExit(f"load {load}: {outlook.reason}")
        FORECAST[load] = outlook
    return FORECAST[load]


class Taken(NamedTuple):
    """Seconds by the clock, and of the processor: they differ where others use the machine."""

    seconds: float
    cpu_seconds: float


@contextmanager
def timed() -> Iterator[list[Taken]]:
    """The list has one entry once the block has ended."""
    taken: list[Taken] = []
    begun, cpu = time.perf_counter(), time.process_time()
    yield taken
    taken.append(Taken(time.perf_counter() - begun, time.process_time() - cpu))


def drafted(numbers: Sequence[int]) -> tuple[list[Draft], Taken]:
    """The drafts of some workloads, and what they took from the forecasts on."""
    ready = [known(number) for number in numbers]
    planned(*ready[0])  # compiles what is compiled
    with timed() as taken:
        drafts = [
            Draft(inputs_sha256=each.case.inputs_sha256, current=each.case.current, found=planned(*each))
            for each in ready
        ]
    return drafts, taken[0]


def made_whole(count: int) -> Taken:
    """What so many drafts take from their facts on, forecasts and all evidence included."""
    book, facts = bundled(), [observed(number) for number in range(count)]
    draft(facts[0], book, Options(), None)  # compiles what is compiled
    with timed() as taken:
        for seen in facts:
            draft(seen, book, Options(), None)
    return taken[0]


def answered(
    seen: Mapping[str, Observation], drafts: Mapping[str, Draft], name: str, placement: Placement | None
) -> Answer:
    """One workload's recommendation."""
    return settle(drafts[name], seen[name], OPTIONS, None, placement)


def all_together(seen: Mapping[str, Observation], drafts: Mapping[str, Draft]) -> tuple[dict[str, Answer], Taken]:
    """Everybody's recommendation, and what the plan for all took."""
    members = [Member(workload=name, team=seen[name].workload.team, draft=drafts[name]) for name in drafts]
    book = bundled()
    with timed() as taken:
        answers = together(members, Before(), book, OPTIONS, partial(answered, seen, drafts))
    return answers, taken[0]


def main() -> None:
    """Forecast, plan, and print what it took and came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--whole", type=int, default=20, help="decisions made whole, for scale")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    pieces = [range(first, options.workloads, options.processes) for first in range(options.processes)]
    made = Parallel(n_jobs=options.processes)(delayed(drafted)(list(piece)) for piece in pieces)
    numbers = [number for piece in pieces for number in piece]
    seen = {number: observed(number) for number in sorted(numbers)}
    found = dict(zip(numbers, (draft for drafts, _ in made for draft in drafts), strict=True))
    by_name = {each.workload.id: each for each in seen.values()}
    drafts = {seen[number].workload.id: found[number] for number in sorted(numbers)}
    few = list(drafts)[:40]
    all_together(by_name, {name: drafts[name] for name in few})  # compiles what is compiled
    answers, joint = all_together(by_name, drafts)
    own = Taken(max(taken.seconds for _, taken in made), max(taken.cpu_seconds for _, taken in made))
    whole = Taken(own.seconds + joint.seconds, own.cpu_seconds + joint.cpu_seconds)
    acts = [each for each in answers.values() if isinstance(each, Act)]
    modes = Counter(str(each.plan.proposed.mode) for each in acts)
    hosts = {seat.host for each in acts for seat in seats_in(each)}
    savings = [each.saving.usd_per_month for each in acts if not isinstance(each.saving, Unknown)]
    print(f"| {len(answers)} workloads | seconds | of the processor |\n|---|---:|---:|")
    print(f"| own plans, the slower of {options.processes} processes | {own.seconds:.1f} | {own.cpu_seconds:.1f} |")
    print(f"| the plan for all, one process | {joint.seconds:.1f} | {joint.cpu_seconds:.1f} |")
    print(f"| together | {whole.seconds:.1f} | {whole.cpu_seconds:.1f} |")
    alone = made_whole(options.whole)
    each = own.cpu_seconds * options.processes / len(answers)
    print(
        f"\nOne own plan as timed above: {each:.3f} s of the processor; made whole: {alone.cpu_seconds / options.whole:.3f} s"
    )
    print(f"\n{len(acts)} act: {', '.join(f'{count} {mode}' for mode, count in sorted(modes.items()))}")
    print(f"{len(hosts)} shared hosts; {sum(savings):,.0f} USD a month saved")
    gaps = sorted({placed.gap_to_bound for each in acts if (placed := placement_in(each)) and placed.gap_to_bound})
    print(f"pools above their proved bounds by {', '.join(f'{gap:.1%}' for gap in gaps)}")
    write_json(
        options.json,
        {
            "workloads": len(answers),
            "own": own._asdict(),
            "joint": joint._asdict(),
            "together": whole._asdict(),
            "whole": alone._asdict() | {"workloads": options.whole},
            "modes": dict(modes),
            "shared_hosts": len(hosts),
            "gaps_to_bound": gaps,
            "saving_usd_per_month": sum(savings),
        },
    )


if __name__ == "__main__":
    main()
