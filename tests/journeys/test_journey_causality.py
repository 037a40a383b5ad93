"""Nothing that is decided or forecast knows of anything later: traces that differ after a moment agree before it."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.load import Floats, LoadHistory
from domain.observation import Declared, Observation
from domain.plan import Recommendation
from domain.ports import HistorySource
from domain.workload import Resources, ServingMode, Slo, Workload
from monitor.observe import observe
from monitor.prometheus import PrometheusSource
from monitor.recorded import RecordedSource, read_trace
from optimizer.options import Options
from optimizer.recommend import recommend
from tests.conftest import StartPrometheus
from tests.servers import backfill
from trimtab.__main__ import main
from trimtab.demo.exposition import Served, scrapes
from trimtab.demo.runtimes import Recorded, openmetrics
from trimtab.prices import bundled
from trimtab.store.codec import encode

TRACES = Path(__file__).resolve().parents[2] / "examples" / "traces"
TRACE = TRACES / "servegen_large_c48.csv.gz"
NAME = "llama"
STEP = timedelta(minutes=10)
CAPACITY_RPS = 0.5
DECLARED = Declared(
    capacity_rps=CAPACITY_RPS,
    time_to_ready=timedelta(seconds=300),
    service_time=timedelta(seconds=8),
    replicas=20,
    mode=ServingMode.DEDICATED,
    offer="g5.xlarge",
)
WORKLOAD = Workload(
    id=NAME,
    runtime="vllm",
    slo=Slo(attainment=0.99, latency=timedelta(seconds=30)),
    resources=Resources(cpu_cores=3.5, memory_gib=14, model_gib=16, accelerator="A10G", accelerator_count=1),
)


def flood(values: Floats) -> Floats:
    """Ten times the load."""
    return 10.0 * values


def silence(values: Floats) -> Floats:
    """No request at all."""
    return np.zeros_like(values)


def gap(values: Floats) -> Floats:
    """Nothing known of the next half, then everything as it was."""
    return np.where(np.arange(len(values)) < len(values) // 2, np.nan, values)


FUTURES: Sequence[Callable[[Floats], Floats]] = (flood, silence, gap)


def altered(load: LoadHistory, origin: datetime, future: Callable[[Floats], Floats]) -> LoadHistory:
    """The same up to `origin`, something else from there on."""
    cut = len(load.until(origin))
    values = np.concatenate([load.values[:cut], future(load.values[cut:])])
    return LoadHistory(start=load.start, step=load.step, values=values)


def write_trace(load: LoadHistory, file: Path) -> Path:
    """A trace file; what is not known has no row."""
    with gzip.open(file, "wt", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(("timestamp", "requests"))
        for i, value in enumerate(load.values):
            if np.isfinite(value):
                rows.writerow((f"{load.start + i * load.step:%Y-%m-%dT%H:%M:%SZ}", f"{value * load.step_s:.6f}"))
    return file


@pytest.fixture(scope="module")
def load() -> LoadHistory:
    """Fourteen days of a tenant of a language model, in steps of ten minutes."""
    return read_trace(TRACE).requests


def decided(observation: Observation) -> Recommendation:
    return recommend(observation, bundled(), Options(), None)


def seen_at(origin: datetime, source: HistorySource, workload: Workload, back: timedelta) -> Observation:
    return observe(source, workload, at=origin, lookback=back, step=STEP, declared=DECLARED)


@pytest.mark.parametrize("future", FUTURES, ids=lambda future: future.__name__)
def test_a_recommendation_knows_nothing_later(
    future: Callable[[Floats], Floats], load: LoadHistory, tmp_path: Path
) -> None:
    """Forecast, plan, calendar, saving, evidence and the hash of the inputs: the same to the last digit."""
    origin = load.start + timedelta(days=9, hours=7, minutes=20)
    recommendations = []
    for known in (load, altered(load, origin, future)):
        source = RecordedSource({NAME: write_trace(known, tmp_path / "llama.csv.gz")})
        recommendations.append(decided(seen_at(origin, source, WORKLOAD, origin - load.start)))
    assert recommendations[0].kind == "act"
    assert recommendations[0].evidence.forecast["mean_rps"]
    assert encode(recommendations[0]) == encode(recommendations[1])


def replayed(trace: Path, out: Path) -> list[tuple[str, int]]:
    """The rows of the decisions file."""
    assert (
        main(
            [
                "replay",
                "--trace",
                str(trace),
                "--capacity",
                str(CAPACITY_RPS),
                "--policy",
                "trimtab",
                "--decisions",
                str(out),
            ]
        )
        == 0
    )
    with out.open(newline="") as text:
        return [(row["timestamp"], int(row["desired_replicas"])) for row in csv.DictReader(text)]


@pytest.mark.parametrize("future", FUTURES, ids=lambda future: future.__name__)
def test_replayed_decisions_know_nothing_later(
    future: Callable[[Floats], Floats], load: LoadHistory, tmp_path: Path
) -> None:
    origin = load.start + timedelta(days=10, hours=3)
    as_it_was = replayed(write_trace(load, tmp_path / "was.csv.gz"), tmp_path / "was.csv")
    otherwise = replayed(write_trace(altered(load, origin, future), tmp_path / "other.csv.gz"), tmp_path / "other.csv")
    cut = len(load.until(origin))
    assert len(as_it_was) == len(otherwise) == len(load)
    assert as_it_was[:cut] == otherwise[:cut]
    assert as_it_was[cut:] != otherwise[cut:], "the future was altered, so decisions on it must differ"


def forecasts(trace: Path, out: Path) -> Mapping[str, list[list[str]]]:
    """Rows of the back-test file by origin."""
    assert main(["backtest", "--trace", str(trace), "--horizon", "6h", "--folds", "3", "--out", str(out)]) == 0
    by_origin: dict[str, list[list[str]]] = {}
    with out.open(newline="") as text:
        for row in list(csv.reader(text))[1:]:
            by_origin.setdefault(row[0], []).append(row[1:])
    return by_origin


def test_forecasts_know_nothing_later(load: LoadHistory, tmp_path: Path) -> None:
    """Of the last three origins of a back-test, those before the alteration forecast the same."""
    as_it_was = forecasts(write_trace(load, tmp_path / "was.csv.gz"), tmp_path / "was.csv")
    origins = sorted(as_it_was)
    assert len(origins) == 3
    moment = datetime.fromisoformat(origins[1]) + load.step  # the end of the last step that the second origin has seen
    otherwise = forecasts(write_trace(altered(load, moment, flood), tmp_path / "other.csv.gz"), tmp_path / "other.csv")
    assert sorted(otherwise) == origins
    assert [as_it_was[origin] == otherwise[origin] for origin in origins] == [True, True, False]


@pytest.mark.servers
def test_a_prometheus_that_holds_the_future_tells_nothing_of_it(
    load: LoadHistory, start_prometheus: StartPrometheus, tmp_path: Path
) -> None:
    """Two workloads with one past and different futures in one real Prometheus, decided on at the same moment."""
    last = load.since(load.end - timedelta(days=5))
    origin = last.end - timedelta(days=1, hours=2)
    end = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
    at = end - (last.end - origin) - timedelta(seconds=1)  # a gauge at the very moment shows what begins then
    served = Served(replicas=8, capacity_rps=CAPACITY_RPS, service_s=2.0, slo_s=10.0)
    past = [
        ("vllm", Recorded(labels=labels(name), seen=scrapes(known, end.timestamp()), served=served))
        for name, known in (("as-it-was", last), ("otherwise", altered(last, origin, flood)))
    ]
    server = start_prometheus(data=backfill("\n".join(openmetrics(past)) + "\n", tmp_path / "blocks"))
    source = PrometheusSource(server.url)
    found = [
        seen_at(at, source, replace(WORKLOAD, id=name, labels={"model_name": name}), timedelta(days=3))
        for name in ("as-it-was", "otherwise")
    ]
    one, other = (observed.load for observed in found)
    assert isinstance(one, LoadHistory)
    assert isinstance(other, LoadHistory)
    np.testing.assert_array_equal(one.values, other.values)
    plans = [decided(observed) for observed in found]
    assert [plan.kind for plan in plans] == ["act", "act"]
    # What a source lacks it says with the workload's name.
    texts = [encode(nameless(plan)).replace(f" of {plan.workload} ", " ") for plan in plans]
    assert texts[0] == texts[1]
    later = [seen_at(end, source, observed.workload, timedelta(hours=1)).load for observed in found]
    assert str(later[0]) != str(later[1]), "the futures do differ"


def nameless(plan: Recommendation) -> Recommendation:
    """Without what tells the two workloads apart: their names, and the hash that holds them."""
    return replace(plan, id="", workload="", evidence=replace(plan.evidence, inputs_sha256=""))


def labels(name: str) -> dict[str, str]:
    return {"model_name": name, "job": "vllm", "instance": "engine"}
