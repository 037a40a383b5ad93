"""Seconds and bytes of a nightly report: facts gathered from the store and a source, rendered, stored; PDF apart.

The store is a SQLite file with 17 days of costs of every workload, hourly cycles and alerts; each workload has a recommendation
made by the real optimizer on a day's load. The source answers from memory; what a real Prometheus takes to answer for a day of
`--asked` workloads (a tenth of them language models; series of our recording rules, and raw histograms, for the share over the SLO is read from those) is measured apart.

    python benchmarks/report.py [--workloads 1000] [--times 3] [--asked 1000] [--json OUT] [--out DIR]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from sqlalchemy import update

import dashboards.report
from benchmarks.fleet import lines as fleet_lines
from benchmarks.measure import write_json
from domain.capacity import ReadyBasis, TimeToReady
from domain.ledger import Gap, LedgerNight
from domain.load import LoadHistory
from domain.observation import Observation, RunningState
from domain.plan import Recommendation, recommendation_id
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ScaleTarget, ServingMode, Workload
from monitor.profiles import PROFILES
from monitor.prometheus import PrometheusSource
from optimizer.options import Options
from optimizer.recommend import recommend
from trimtab.demo.exposition import series
from trimtab.demo.processes import Processes, free_port
from trimtab.demo.tsdb import blocks_from_text, start_prometheus, write_text
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
SIGNALS = (Signal.REQUEST_RATE, Signal.ERROR_RATIO, Signal.SLOW_RATIO, Signal.READY_REPLICAS)
TOKENS = (Signal.TOKEN_RATE, Signal.PROMPT_TOKEN_RATE)  # of language models besides
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
        keep_nights=400,
        counts_tokens=frozenset({"vllm"}),
        threads=4,
    )


def asked_about(workloads: int) -> list[Workload]:
    """A fleet whose series stand in a real Prometheus; a tenth of it, at least one, are language models."""
    talking = -(-workloads // 10)
    labels = [{"service": f"service{index}", "model": f"model{index}"} for index in range(workloads - talking)]
    return [
        *(Workload(id=each["service"], runtime="trimtab-serving", labels=each) for each in labels),
        *(Workload(id=f"llm{n}", runtime="vllm", labels={"model_name": f"llm{n}"}) for n in range(talking)),
    ]


def history(fleet: Sequence[Workload], end_s: float) -> Iterator[str]:
    """A day of recorded series, and of the raw latency histograms each minute, as OpenMetrics text."""
    own, talking = ([each for each in fleet if (each.runtime == "vllm") is vllm] for vllm in (False, True))
    *recorded, _ = fleet_lines(len(own), 288, end_s)
    yield from recorded
    times = np.arange(-287, 1, dtype=np.float64) * STEP.total_seconds() + end_s
    names = PROFILES["vllm"].recorded
    for signal, value in ((Signal.REQUEST_RATE, 2.0), (Signal.ERROR_RATIO, 0.0), (Signal.READY_REPLICAS, 3.0),
                          (Signal.TOKEN_RATE, 400.0), (Signal.PROMPT_TOKEN_RATE, 900.0)):  # fmt: skip
        yield f"# TYPE {names[signal]} gauge"
        for each in talking:
            yield from series(names[signal], each.labels, times, np.full(len(times), value))
    yield from histograms("ai_request_duration_seconds", own, end_s)
    yield from histograms("vllm:e2e_request_latency_seconds", talking, end_s)
    yield "# EOF"


def histograms(name: str, fleet: Sequence[Workload], end_s: float) -> Iterator[str]:
    """Counters of every minute of the day: a thousandth takes longer than the SLO."""
    times = np.arange(-1439, 1, dtype=np.float64) * 60.0 + end_s
    yield f"# TYPE {name} histogram"
    for index, each in enumerate(fleet):
        counts = np.arange(1440, dtype=np.float64) * 60.0 * (index + 1)
        bound = f"{each.slo.latency.total_seconds():g}"
        for part, extra, share in (("bucket", {"le": bound}, 0.999), ("bucket", {"le": "+Inf"}, 1.0), ("count", {}, 1.0)):  # fmt: skip
            yield from series(f"{name}_{part}", {**each.labels, **extra}, times, np.floor(counts * share))


def asked(workloads: int) -> float:
    """Seconds that the day's signals of so many workloads take, four asked for at a time."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with tempfile.TemporaryDirectory() as name, Processes(Path(name)) as processes:
        folder = Path(name)
        fleet = asked_about(workloads)
        write_text(history(fleet, end.timestamp()), folder / "history.om")
        blocks_from_text(processes, folder / "history.om", folder / "data")
        (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
        port = free_port()
        start_prometheus(processes, folder / "prometheus.yml", folder / "data", port)
        source = PrometheusSource(f"http://127.0.0.1:{port}")
        begun = time.perf_counter()
        with ThreadPoolExecutor(max_workers=4) as threads:
            known = list(threads.map(partial(day_of, source, end), fleet))
        seconds = time.perf_counter() - begun
    unknown = [each.id for each, whole in zip(fleet, known, strict=True) if not whole]
    if unknown:
        raise SystemExit(f"not every signal of every workload was known: {len(unknown)} lack one, such as {unknown[0]}")
    return seconds


def day_of(source: PrometheusSource, end: datetime, of: Workload) -> bool:
    """Whether all the signals that a report asks for had an answer."""
    signals = (*SIGNALS, *(TOKENS if of.runtime == "vllm" else ()))
    return all(source.load(of, signal, start=end - DAY, end=end, step=STEP).coverage > 0.9 for signal in signals)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Medians of what a run took, on the clock and of the processor, and what the last run gave."""

    seconds: float
    cpu_s: float
    made: Written


def timed(times: int, run: Callable[[], Written]) -> Timed:
    """Run so many times."""
    clock, processor = list[float](), list[float]()
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        made = run()
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    return Timed(seconds=statistics.median(clock), cpu_s=statistics.median(processor), made=made)


def main() -> None:
    """Write the report and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workloads", type=int, default=1000)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--asked", type=int, default=1000, help="workloads a real Prometheus is asked about; 0 for none"
    )
    parser.add_argument("--json", type=Path)
    parser.add_argument("--out", type=Path, help="keep the files there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/trimtab.db")
        filled(database, options.workloads)
        job = nightly(database)
        plain = replace(job, paper=lambda _report: Unknown("the PDF is timed apart"))
        bare = timed(options.times, lambda: plain.write(REPORTED, now=END))
        whole = timed(1, lambda: job.write(REPORTED, now=END))
        database.close()
    answered = asked(options.asked) if options.asked else None
    sizes = {
        artifact.path.name.partition(f"{REPORTED}.")[2]: len(artifact.text.encode()) / 1e6
        for artifact in bare.made.texts
    }
    pdf_mb = None if isinstance(whole.made.pdf, Unknown) else len(whole.made.pdf) / 1e6
    rows = [
        (f"seconds, {options.workloads:,} workloads, without PDF", bare.seconds, BOUND_S),
        ("of these on the processor", bare.cpu_s, None),
        ("seconds, with PDF", whole.seconds, BOUND_S),
        ("of these on the processor", whole.cpu_s, None),
        (f"seconds, a Prometheus asked for the day of {options.asked:,} workloads", answered, None),
        *([] if answered is None else [("seconds, both, with PDF", whole.seconds + answered, BOUND_S)]),
        ("HTML, MB", sizes["html"], BOUND_MB),
        *((f"{name}, MB", size, None) for name, size in sizes.items() if name != "html"),
        ("PDF, MB", pdf_mb, None),
    ]
    print("| figure | measured | bound |\n|---|---:|---:|")
    for name, value, bound in rows:
        print(f"| {name} | {'none' if value is None else f'{value:.2f}'} | {'' if bound is None else f'{bound:g}'} |")
    write_json(options.json, {"workloads": options.workloads, "figures": [(name, value) for name, value, _ in rows]})
    if options.out is not None:
        options.out.mkdir(parents=True, exist_ok=True)
        for artifact in bare.made.texts:
            (options.out / artifact.path).write_text(artifact.text, encoding="utf-8")
        if not isinstance(whole.made.pdf, Unknown):
            (options.out / f"trimtab-report-{REPORTED}.pdf").write_bytes(whole.made.pdf)


if __name__ == "__main__":
    main()
