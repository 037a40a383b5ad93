"""History from a real Prometheus: exact on known data, gaps stay gaps, and nothing is seen before it happened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.errors import BadAnswer, NoData, SettingsError
from domain.load import Floats, LoadHistory
from domain.signals import Signal
from domain.workload import ScaleTarget, Slo, Workload
from monitor.client import MOST_POINTS, Client, Points
from monitor.prometheus import PrometheusSource
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, backfill

pytestmark = pytest.mark.servers

Numbers = NDArray[np.floating[Any]]
START = datetime(2025, 3, 3, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
FIVE = timedelta(minutes=5)
MINUTES = 12_600
TIMES = START.timestamp() + 60.0 * np.arange(MINUTES + 1)
RAMP = np.cumsum(np.arange(MINUTES + 1) % 977 + 1.0)
GAP = slice(600, 730)  # minutes without a single sample
QUIET = 300.0  # requests a minute


def requests_of(service: str, counter: Numbers, keep: Numbers | None = None, **more: str) -> str:
    """`ai_requests_total` of a service; samples that are not kept were never scraped."""
    kept = np.ones(len(counter), dtype=bool) if keep is None else keep.astype(bool)
    labels = {"service": service, "model": "m", "endpoint": "/predict", "status": "200", "instance": "a:1", **more}
    return samples("ai_requests_total", labels, TIMES[: len(counter)][kept], counter[kept])


def recorded(name: str, service: str, first: int, values: Numbers) -> str:
    labels = {"service": service, "model": "m"}
    return samples(name, labels, TIMES[first : first + len(values)], values)


def history() -> str:
    steady = QUIET * np.arange(MINUTES + 1)
    in_gap = np.ones(MINUTES + 1)
    in_gap[GAP] = 0
    restarted = np.concatenate([steady[:1000], QUIET * np.arange(1, 1001)])
    day = 1440
    return document(
        family(
            "ai_requests",
            "counter",
            [
                requests_of("ramp", RAMP),
                requests_of("holes", steady, in_gap),
                requests_of("restarted", restarted),
                requests_of("half-recorded", steady[: 2 * day]),
                requests_of("flaky", steady[:day]),
                requests_of("flaky", 30.0 * np.arange(day), status="503"),
                requests_of("flaky", 600.0 * np.arange(day), status="404"),
            ],
        ),
        family(
            "ai_request_duration_seconds",
            "histogram",
            [
                samples(
                    f"ai_request_duration_seconds_{part}",
                    {"service": "ramp", "model": "m", "endpoint": "/predict"} | le,
                    TIMES[:day],
                    factor * QUIET * np.arange(day),
                )
                for part, le, factor in (
                    ("bucket", {"le": "0.1"}, 0.5),
                    ("bucket", {"le": "0.2"}, 1.0),
                    ("bucket", {"le": "+Inf"}, 1.0),
                    ("count", {}, 1.0),
                    ("sum", {}, 0.12),
                )
            ],
        ),
        family(
            "ai_ready",
            "gauge",
            [
                samples("ai_ready", {"service": "ramp", "model": "m", "instance": f"{i}:1"}, TIMES[:day], np.ones(day))
                for i in range(3)
            ],
        ),
        family(
            "kube_deployment_status_replicas_ready",
            "gauge",
            [
                samples(
                    "kube_deployment_status_replicas_ready",
                    {"deployment": "ramp", "exported_namespace": "ml", "namespace": "monitoring"},
                    TIMES[:day],
                    np.full(day, 7.0),
                )
            ],
        ),
        family(
            "service_model:ai_requests:rate5m",
            "gauge",
            [
                recorded("service_model:ai_requests:rate5m", "half-recorded", day, np.full(day, 42.0)),
                samples("service_model:ai_requests:rate5m", {"service": "twice", "model": "m", "x": "1"}, TIMES[:9], TIMES[:9]),
                samples("service_model:ai_requests:rate5m", {"service": "twice", "model": "m", "x": "2"}, TIMES[:9], TIMES[:9]),
            ],
        ),
        family(
            "service_model:ai_request_duration_seconds:p95_rate5m",
            "gauge",
            [
                recorded("service_model:ai_request_duration_seconds:p95_rate5m", "idle", 0, np.full(60, np.nan)),
                recorded("service_model:ai_request_duration_seconds:p95_rate5m", "ramp", 0, np.full(60, 9.0)),
            ],
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder: Path = tmp_path_factory.mktemp("history")
    with Prometheus(folder, data=backfill(history(), folder / "data")) as running:
        yield running


@pytest.fixture(scope="module")
def source(server: Prometheus) -> PrometheusSource:
    return PrometheusSource(server.url)


def workload(service: str) -> Workload:
    return Workload(id=f"{service}:m", runtime="trimtab-serving", labels={"service": service, "model": "m"})


def read(
    source: PrometheusSource, one: Workload, signal: Signal, first: int, minutes: int, *, step: timedelta = FIVE
) -> Floats:
    start = START + first * MINUTE
    asked: LoadHistory = source.load(one, signal, start=start, end=start + minutes * MINUTE, step=step)
    assert (asked.start, asked.step) == (start, step)
    return asked.values


def rate(source: PrometheusSource, service: str, minutes: int, *, step: timedelta = MINUTE, first: int = 0) -> Floats:
    return read(source, workload(service), Signal.REQUEST_RATE, first, minutes, step=step)


def test_a_known_ramp_over_many_pieces_comes_back_whole_and_in_place(source: PrometheusSource) -> None:
    """Neither lost nor doubled at the edges of pieces: every point equals what the counter says."""
    assert MINUTES > MOST_POINTS + 2000
    values = rate(source, "ramp", MINUTES)
    assert len(values) == MINUTES
    expected = (RAMP[5:] - RAMP[:-5]) / 300.0
    np.testing.assert_allclose(values[4:], expected, rtol=1e-9)


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_where_the_pieces_are_cut_changes_nothing(server: Prometheus, piece: int) -> None:
    points = Points(first=START + 10 * MINUTE, step=MINUTE, count=20)
    (series,) = Client(server.url, most_points=piece).over('ai_requests_total{service="ramp"}', points)
    np.testing.assert_array_equal(series.values, RAMP[10:30])
    assert series.present.all()


def test_a_five_minute_step_is_its_exact_mean(source: PrometheusSource) -> None:
    values = rate(source, "ramp", 10_000, step=FIVE)
    np.testing.assert_allclose(values, (RAMP[5:10_001:5] - RAMP[0:9_996:5]) / 300.0, rtol=1e-9)


def test_an_hour_is_its_exact_mean_too(source: PrometheusSource) -> None:
    values = rate(source, "ramp", 600, step=timedelta(hours=1))
    np.testing.assert_allclose(values, (RAMP[60:601:60] - RAMP[0:541:60]) / 3600.0, rtol=1e-9)


def test_gaps_stay_gaps(source: PrometheusSource) -> None:
    values = rate(source, "holes", 1000, step=FIVE)
    np.testing.assert_allclose(values[:119], QUIET / 60, rtol=1e-9)
    assert np.isnan(values[120:145]).all()  # 600..725: the last sample before the gap is that of minute 599
    np.testing.assert_allclose(values[147:], QUIET / 60, rtol=1e-9)


def test_what_happens_later_changes_no_earlier_step(source: PrometheusSource) -> None:
    """The counter stops at minute 599 and starts again at 730: steps up to there know nothing of either."""
    undisturbed = rate(source, "holes", 599, step=MINUTE)
    np.testing.assert_allclose(undisturbed[4:], QUIET / 60, rtol=1e-9)
    np.testing.assert_array_equal(rate(source, "ramp", 5000, step=FIVE), rate(source, "ramp", 10_000, step=FIVE)[:1000])


def test_a_counter_that_starts_again_is_not_a_negative_rate(source: PrometheusSource) -> None:
    values = rate(source, "restarted", 1990, step=FIVE)
    assert (values[~np.isnan(values)] >= 0).all()
    np.testing.assert_allclose(values[:199], QUIET / 60, rtol=1e-9)
    assert values[200] == pytest.approx(QUIET / 60, rel=0.01)


def test_the_recorded_series_wins_and_raw_metrics_fill_what_it_lacks(source: PrometheusSource) -> None:
    values = rate(source, "half-recorded", 2 * 1440, step=FIVE)
    np.testing.assert_allclose(values[:287], QUIET / 60, rtol=1e-9)
    np.testing.assert_array_equal(values[288:], 42.0)


def test_a_recorded_series_is_not_used_for_what_it_was_not_recorded_for(source: PrometheusSource) -> None:
    """An hourly mean is no five-minute mean, and a p99 no p95."""
    assert rate(source, "half-recorded", 60, step=timedelta(hours=1), first=1440 + 60) == pytest.approx(QUIET / 60)
    median = replace(workload("ramp"), slo=Slo(latency_quantile=0.5))
    np.testing.assert_allclose(read(source, median, Signal.LATENCY, 0, 50), 0.1, rtol=1e-6)
    np.testing.assert_array_equal(read(source, workload("ramp"), Signal.LATENCY, 0, 50), 9.0)


def test_latency_errors_replicas_and_service_time_are_what_was_put_in(source: PrometheusSource) -> None:
    latency = read(source, workload("ramp"), Signal.LATENCY, 120, 120)
    np.testing.assert_allclose(latency, 0.1 + 0.1 * (0.95 - 0.5) / 0.5, rtol=1e-6)
    np.testing.assert_allclose(read(source, workload("ramp"), Signal.SERVICE_TIME, 120, 120), 0.12, rtol=1e-6)
    np.testing.assert_array_equal(read(source, workload("ramp"), Signal.READY_REPLICAS, 120, 120), 3.0)
    errors = read(source, workload("flaky"), Signal.ERROR_RATIO, 120, 120)
    np.testing.assert_allclose(errors, 30 / (300 + 30 + 600), rtol=1e-6)


def test_a_faultless_service_has_an_error_ratio_of_zero_not_none(source: PrometheusSource) -> None:
    """No 5xx series exists before the first 5xx."""
    np.testing.assert_array_equal(read(source, workload("ramp"), Signal.ERROR_RATIO, 5, 55), 0.0)


def test_kubernetes_is_asked_for_the_replicas_of_a_named_deployment(source: PrometheusSource) -> None:
    named = replace(workload("ramp"), target=ScaleTarget(name="ramp", namespace="ml"))
    np.testing.assert_array_equal(read(source, named, Signal.READY_REPLICAS, 0, 60), 7.0)
    elsewhere = replace(workload("ramp"), target=ScaleTarget(name="ramp", namespace="other"))
    np.testing.assert_array_equal(read(source, elsewhere, Signal.READY_REPLICAS, 0, 60), 3.0)


def test_kubernetes_is_not_asked_about_an_ecs_service_of_the_same_name(source: PrometheusSource) -> None:
    service = replace(workload("ramp"), target=ScaleTarget(kind="EcsService", name="ramp", namespace="ml"))
    np.testing.assert_array_equal(read(source, service, Signal.READY_REPLICAS, 0, 60), 3.0)


def test_more_than_one_series_for_a_workload_is_refused(source: PrometheusSource) -> None:
    with pytest.raises(BadAnswer, match=r"has 2 series for service_model:ai_requests:rate5m.*'x': '2'"):
        rate(source, "twice", 10, step=FIVE)


@pytest.mark.parametrize("service", ["never-seen", "idle"])
def test_nothing_at_all_is_no_data_and_names_the_workload(source: PrometheusSource, service: str) -> None:
    """`idle` has samples, each of them NaN: the quantile of no request."""
    with pytest.raises(NoData, match=f"holds no latency of {service}:m between 2025-03-03T00:00Z"):
        read(source, workload(service), Signal.LATENCY, 0, 60)


def test_a_signal_that_the_runtime_does_not_export_is_no_data(source: PrometheusSource) -> None:
    with pytest.raises(NoData, match="trimtab-serving exports no queue"):
        source.load(workload("ramp"), Signal.QUEUE, start=START, end=START + FIVE, step=FIVE)


def test_a_runtime_that_nobody_knows_names_those_that_are(source: PrometheusSource) -> None:
    strange = Workload(id="x", runtime="vlm", labels={})
    with pytest.raises(SettingsError, match=r"workloads\.x\.runtime: 'vlm'.*trimtab-serving, vllm"):
        source.load(strange, Signal.REQUEST_RATE, start=START, end=START + FIVE, step=FIVE)


def test_times_that_the_library_would_bend_are_refused(source: PrometheusSource) -> None:
    with pytest.raises(ValueError, match="whole seconds"):
        source.load(
            workload("ramp"),
            Signal.REQUEST_RATE,
            start=START + timedelta(milliseconds=1),
            end=START + FIVE * 2,
            step=FIVE,
        )
    with pytest.raises(ValueError, match="no whole step"):
        source.load(workload("ramp"), Signal.REQUEST_RATE, start=START, end=START + MINUTE, step=FIVE)
