"""Seconds and bytes of a nightly report: facts gathered from the store and a source, rendered, stored; PDF apart.

The store is a SQLite file with 17 days of costs of every workload, hourly cycles and alerts; each workload has a recommendation
made by the real optimizer on a day's load. The source answers from memory: what a Prometheus takes to answer is not in it.

    python benchmarks/report.py [--workloads 1000] [--times 3] [--json OUT] [--out DIR]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy import update

import dashboards.report
from benchmarks.measure import write_json
from domain.capacity import ReadyBasis, TimeToReady
from domain.ledger import Gap, LedgerNight
from domain.load import LoadHistory
from domain.observation import Observation, RunningState
from domain.plan import Recommendation, recommendation_id
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ScaleTarget, ServingMode, Workload
from optimizer.options import Options
from optimizer.recommend import recommend
from trimtab.nightly import Nightly, Written
from trimtab.objectives import Objectives
from trimtab.prices import bundled
from trimtab.records import Record
from trimtab.settings import ObjectiveSettings
from trimtab.store.database import Database, open_database
from trimtab.store.days import DayStore
from trimtab.store.journal import Alert, CostSample, CycleNote, Journal
from trimtab.store.recommendations import Recommendations
from trimtab.store.tables import CostRow

DAY, HOUR, STEP = timedelta(days=1), timedelta(hours=1), timedelta(minutes=5)
REPORTED = date(2026, 3, 17)
END = datetime(2026, 3, 18, tzinfo=UTC)
SHAPES, DAYS = 8, 17
OWNERS = ("jo", "sam", "kim")
BOUND_S, BOUND_MB = 20.0, 2.0


def loads(peak_rps: float, days: int, shift: float) -> LoadHistory:
    """Days that rise and fall by the clock, with noise, up to the end of the reported one."""
    steps = days * 288
    hours = np.arange(steps) / 12 - shift
    noise = np.random.default_rng(round(peak_rps * 10)).gamma(40.0, 1 / 40.0, steps)
    values = peak_rps * (0.25 + 0.75 * np.maximum(0.0, np.sin(np.pi * (hours % 24 - 6) / 14))) * noise
    return LoadHistory(start=END - days * DAY, step=STEP, values=values)


def workload(i: int) -> Workload:
    """One of a fleet of teams and services; a tenth of it are language models."""
    runtime = "vllm" if i % 10 == 0 else "trimtab-serving"
    name = f"service-{i % 37:02d}:model-{i:04d}-instruct-v{i % 5}"
    labels = (
        {"model_name": name} if runtime == "vllm" else {"service": f"service-{i % 37:02d}", "model": f"model-{i // 2}"}
    )
    target = ScaleTarget(name=f"model-{i}", namespace=f"team-{i % 9}")
    return Workload(id=name, runtime=runtime, labels=labels, team=f"team-{i % 9}", target=target)


def decided(shape: int) -> Recommendation:
    """What the optimizer says of one shape of load; every eighth has too little history and is held."""
    held = shape == SHAPES - 1
    load = loads(20.0 + 30 * shape, 1 if held else 8, float(shape))
    count = 4 + shape
    observation = Observation(
        workload=workload(shape), observed_at=END - HOUR, source="benchmark", load=load.until(END - HOUR),
        latency=Unknown("not asked"), errors=Unknown("not asked"), replicas=Unknown("not asked"),
        time_to_ready=TimeToReady(p50=STEP, p90=STEP, longest=STEP, basis=ReadyBasis.DECLARED, samples=0, detail="declared"),
        service_time_s=0.08, declared_capacity_rps=20.0,
        running=RunningState(replicas=count, mode=ServingMode.DEDICATED, offer="m5.large", purchase=PurchaseMix(on_demand=count)),
    )  # fmt: skip
    return recommend(observation, bundled(), Options(), None)


def filled(database: Database, workloads: int) -> None:
    """A fortnight of the fleet."""
    journal, recommendations = Journal(database), Recommendations(database)
    fleet = [workload(i) for i in range(workloads)]
    shapes = [decided(shape) for shape in range(SHAPES)]
    journal.keep_workloads(fleet)
    recommendations.keep([record(shapes[i % SHAPES], each) for i, each in enumerate(fleet)])
    for back in range(DAYS):
        journal.add_costs(REPORTED - back * DAY, [cost(i, back, each.id) for i, each in enumerate(fleet)])
        for hour in range(24):
            at = END - (back + 1) * DAY + hour * HOUR
            journal.note_cycle(CycleNote(at=at, duration_s=1.0, acts=0, holds=0, kept=0, failure=None))
    with database.session() as session:  # one sample a day was added: as good as one an hour
        session.execute(
            update(CostRow).values(current_cycles=24, current_usd_per_hour=CostRow.current_usd_per_hour * 24)
        )
    journal.nights.add([night(i, back, each.id) for i, each in enumerate(fleet[::7]) for back in range(DAYS)], END)
    journal.keep_alerts([alert(i, fleet[i].id) for i in range(min(40, workloads))])


def cost(i: int, back: int, name: str) -> CostSample:
    """USD an hour of a workload: higher on five days of seven; one of a hundred is thrice its usual on the reported day."""
    usual = (0.1 + i % 40 / 10) * (1.0 if (REPORTED - back * DAY).weekday() < 5 else 0.8)
    return CostSample(
        workload=name, current_usd_per_hour=usual * (3 if back == 0 and i % 100 == 13 else 1), proposed_usd_per_hour=0.1
    )


def night(i: int, back: int, name: str) -> LedgerNight:
    """A night of a saving that was taken up."""
    return LedgerNight(
        night=REPORTED - back * DAY, workload=name, recommendation_id=f"{i:016x}", taken_up_at=END - 20 * DAY, taken_up="accepted",
        promised_usd=6.0, baseline_usd=18.0, ran_usd=12.5, realised_usd=5.5, requests=1e6, missed_share=0.0002,
        gap=Gap(load=-0.5, price=0.0, capacity=0.0, not_applied=0.0, other=0.0),
        followed_share=1.0, missed_before=0.0002, would_have_missed=0.0, budget=0.001,
    )  # fmt: skip


def record(shape: Recommendation, of: Workload) -> Record:
    """The decision as one on another workload."""
    mine = replace(shape, workload=of.id, id=recommendation_id(of.id, shape.created_at))
    return Record(recommendation=mine, observed_at=shape.created_at)


def alert(i: int, name: str) -> Alert:
    """One that fired on the day."""
    labels = {"alertname": "TrimtabLatencyHigh", "severity": "warning", "workload": name}
    at = END - (i % 20 + 1) * HOUR
    return Alert(
        fingerprint=f"{i:016x}", status="resolved", starts_at=at, ends_at=at + HOUR, received_at=at, labels=labels,
        annotations={"description": f"{name}: the 95 % quantile of latency was 1.2 s, over its SLO of 0.5 s."},
    )  # fmt: skip


def day_load(of: Workload, signal: Signal, start: datetime, end: datetime) -> LoadHistory:
    """Every signal of a day at five minutes."""
    shape = sum(of.id.encode()) % SHAPES
    if signal is Signal.REQUEST_RATE:
        return loads(20.0 + 30 * shape, 1, float(shape))
    ratio = {Signal.ERROR_RATIO: 0.0004, Signal.SLOW_RATIO: 0.0007, Signal.READY_REPLICAS: 4.0 + shape}
    return LoadHistory(start=start, step=STEP, values=np.full((end - start) // STEP, ratio.get(signal, 900.0)))


def nightly(database: Database) -> Nightly:
    """The real one, over this store."""
    journal = Journal(database)
    mine = len(journal.workloads()) / 9
    budgets = [
        ObjectiveSettings(
            team=f"team-{i}", budget_usd_per_month=round(1_350 * mine, -2), owner=OWNERS[i % 3], attainment=0.999,
            review_on=REPORTED + (i * 9 - 5) * DAY,
        )
        for i in range(9)
    ]  # fmt: skip
    return Nightly(
        recommendations=Recommendations(database),
        journal=journal,
        objectives=Objectives(settings=budgets, journal=journal, days=DayStore(database)),
        day_load=day_load,
        book=bundled(),
        render=dashboards.report.render,
        paper=dashboards.report.pdf,
        base_url="http://127.0.0.1:8000",
        counts_tokens=frozenset({"vllm"}),
        threads=4,
    )


def timed(times: int, run: Callable[[], Written]) -> tuple[float, Written]:
    """Median seconds, and what the last run gave."""
    seconds = []
    for _ in range(times):
        begun = time.perf_counter()
        made = run()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), made


def main() -> None:
    """Write the report and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, help="keep the files there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/trimtab.db")
        filled(database, options.workloads)
        job = nightly(database)
        plain = replace(job, paper=lambda _report: Unknown("the PDF is timed apart"))
        seconds, made = timed(options.times, lambda: plain.write(REPORTED, now=END))
        whole, with_pdf = timed(1, lambda: job.write(REPORTED, now=END))
        database.close()
    sizes = {
        artifact.path.name.partition(f"{REPORTED}.")[2]: len(artifact.text.encode()) / 1e6 for artifact in made.texts
    }
    pdf_mb = None if isinstance(with_pdf.pdf, Unknown) else len(with_pdf.pdf) / 1e6
    rows = [
        (f"seconds, {options.workloads:,} workloads, without PDF", seconds, BOUND_S),
        ("seconds, with PDF", whole, BOUND_S),
        ("HTML, MB", sizes["html"], BOUND_MB),
        *((f"{name}, MB", size, None) for name, size in sizes.items() if name != "html"),
        ("PDF, MB", pdf_mb, None),
    ]
    print("| figure | measured | bound |\n|---|---:|---:|")
    for name, value, bound in rows:
        print(f"| {name} | {'none' if value is None else f'{value:.2f}'} | {'' if bound is None else f'{bound:g}'} |")
    write_json(options.json, {"workloads": options.workloads, "figures": {name: value for name, value, _ in rows}})
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        for artifact in made.texts:
            (options.out / artifact.path).write_text(artifact.text, encoding="utf-8")
        if not isinstance(with_pdf.pdf, Unknown):
            (options.out / f"trimtab-report-{REPORTED}.pdf").write_bytes(with_pdf.pdf)


if __name__ == "__main__":
    main()
