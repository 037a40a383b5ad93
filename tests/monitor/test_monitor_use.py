"""What replicas use and which versions they ran, from a real Prometheus that scraped cAdvisor, DCGM and kube-state-metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.errors import NoData
from domain.load import LoadHistory
from domain.observation import Observation, ResourceUse, VersionSeen
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import ScaleTarget, Workload
from monitor.observe import observe
from monitor.prometheus import PrometheusSource
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, backfill

pytestmark = pytest.mark.servers

START = datetime(2025, 3, 3, tzinfo=UTC)
HOUR, FIVE, QUARTER = timedelta(hours=1), timedelta(minutes=5), timedelta(minutes=15)
NOW = START + 6 * HOUR
MINUTES = 361
TIMES = START.timestamp() + 60.0 * np.arange(MINUTES)
MIB = 2.0**20
POD, OTHER = "digits-6f7c9d-abcde", "digits-6f7c9d-fghij"
TARGET = ScaleTarget(name="digits", namespace="ml")
WORKLOAD = Workload(
    id="shop:digits", runtime="trimtab-serving", labels={"service": "shop", "model": "digits"}, target=TARGET
)
Values = NDArray[np.float64]


def gauge(name: str, labels: Mapping[str, str], values: Values | float) -> str:
    return samples(name, labels, TIMES, np.broadcast_to(values, MINUTES))


def of(pod: str, container: str, *, exported: bool = False, namespace: str = "ml") -> dict[str, str]:
    """Labels of a container; where the scrape did not honour them, the exporter's own stand in their place."""
    own = {"namespace": "monitoring", "pod": "exporter-1", "exported_namespace": namespace, "exported_pod": pod}
    return (own if exported else {"namespace": namespace, "pod": pod}) | {"container": container}


def cores(pod: str, container: str, used: float, **more: str | bool) -> str:
    labels = of(pod, container, **more)  # type: ignore[arg-type]
    return samples("container_cpu_usage_seconds_total", labels, TIMES, used * 60.0 * np.arange(MINUTES))


def held(pod: str, container: str, mib: Values | float) -> str:
    return gauge("container_memory_working_set_bytes", of(pod, container), np.asarray(mib) * MIB)


def history() -> str:
    spike = np.full(MINUTES, 500.0)
    spike[100] = 1800.0  # one minute of six hours
    new_image = np.arange(MINUTES) >= 200
    killed = np.where(np.arange(MINUTES) >= 300, 1.0, np.nan)
    image = {"namespace": "ml", "pod": POD, "container": "model"}
    return document(
        family(
            "container_cpu_usage_seconds",
            "counter",
            [
                cores(POD, "model", 0.6),
                cores(POD, "proxy", 0.1),
                cores(OTHER, "model", 0.4),
                cores(POD, "", 0.7),  # the pod's own cgroup holds its containers
                cores(POD, "POD", 0.001),
                cores("digits-large-6f7c9d-xyzab", "model", 9.0, namespace="else"),
                cores("lost-6f7c9d-abcde", "model", 0.25, exported=True),
            ],
        ),
        family(
            "container_memory_working_set_bytes",
            "gauge",
            [held(POD, "model", spike), held(POD, "proxy", 100.0), held(OTHER, "model", 700.0), held(POD, "", 9999.0)],
        ),
        family("kube_pod_created", "gauge", [gauge("kube_pod_created", {"namespace": "ml", "pod": POD}, 1.7e9)]),
        family(
            "kube_pod_container_status_last_terminated_reason",
            "gauge",
            [
                samples(
                    "kube_pod_container_status_last_terminated_reason",
                    of(POD, "model") | {"reason": "OOMKilled"},
                    TIMES[~np.isnan(killed)],
                    killed[~np.isnan(killed)],
                )
            ],
        ),
        family(
            "kube_pod_container_info",
            "gauge",
            [
                samples("kube_pod_container_info", image | {"image": "r/m:1"}, TIMES[~new_image], np.ones((~new_image).sum())),
                samples("kube_pod_container_info", image | {"image": "r/m:2"}, TIMES[new_image], np.ones(new_image.sum())),
            ],
        ),
        family(
            "DCGM_FI_DEV_GPU_UTIL",
            "gauge",
            [gauge("DCGM_FI_DEV_GPU_UTIL", of(POD, "model", exported=True) | {"gpu": "0"}, 40.0),
             gauge("DCGM_FI_DEV_GPU_UTIL", of(OTHER, "model", exported=True) | {"gpu": "1"}, 90.0)],
        ),
        family(
            "DCGM_FI_DEV_FB_USED",
            "gauge",
            [gauge("DCGM_FI_DEV_FB_USED", of(POD, "model", exported=True) | {"gpu": "0"}, 12_000.0),
             gauge("DCGM_FI_DEV_FB_USED", of(OTHER, "model", exported=True) | {"gpu": "1"}, 9.223372036854775794e18)],
        ),
        family("ai_ready", "gauge", [gauge("ai_ready", {"service": "own", "model": "digits", "job": "j", "instance": str(i)}, 1.0) for i in range(2)]),
        family(
            "process_cpu_seconds",
            "counter",
            [samples("process_cpu_seconds_total", {"job": "j", "instance": str(i)}, TIMES, (0.2 + 0.3 * i) * 60.0 * np.arange(MINUTES)) for i in range(2)],
        ),
        family(
            "process_resident_memory_bytes",
            "gauge",
            [gauge("process_resident_memory_bytes", {"job": "j", "instance": str(i)}, spike * MIB) for i in range(2)],
        ),
        family(
            "ai_model_info",
            "gauge",
            [
                samples("ai_model_info", {"service": "own", "model": "digits", "version": version, "sha256": version}, TIMES[part], np.ones(len(TIMES[part])))
                for version, part in (("1", slice(0, 140)), ("2", slice(130, MINUTES)))
            ],
        ),
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusSource]:
    folder: Path = tmp_path_factory.mktemp("use")
    with Prometheus(folder, data=backfill(history(), folder / "data")) as server:
        yield PrometheusSource(server.url)


def read(source: PrometheusSource, workload: Workload, signal: Signal) -> Values:
    """Quarters of an hour from the second on: the first has no rate over its whole length."""
    return source.load(workload, signal, start=START + QUARTER, end=NOW, step=QUARTER).values


def test_a_replica_is_all_containers_of_its_pod_and_each_counts_once(source: PrometheusSource) -> None:
    """0.7 and 0.4 cores: 0.55 on average and 0.7 of the busiest; neither the pod's cgroup nor its pause container."""
    np.testing.assert_allclose(read(source, WORKLOAD, Signal.CPU_CORES), 0.55, rtol=1e-6)
    np.testing.assert_allclose(read(source, WORKLOAD, Signal.CPU_CORES_PEAK), 0.7, rtol=1e-6)


def test_memory_is_the_most_of_the_largest_replica_even_for_a_minute(source: PrometheusSource) -> None:
    found = read(source, WORKLOAD, Signal.MEMORY_BYTES) / MIB
    assert found.max() == 1900.0
    assert np.median(found) == 700.0


def test_labels_that_a_scrape_renamed_are_found(source: PrometheusSource) -> None:
    lost = replace(WORKLOAD, target=ScaleTarget(name="lost", namespace="ml"))
    np.testing.assert_allclose(read(source, lost, Signal.CPU_CORES), 0.25, rtol=1e-6)


def test_a_kill_for_want_of_memory_is_seen_and_before_it_there_is_none(source: PrometheusSource) -> None:
    """The series is born with the first kill: before it kube-state-metrics says 0, not nothing."""
    found = read(source, WORKLOAD, Signal.OUT_OF_MEMORY)
    assert (found[:17] == 0.0).all()
    assert (found[-2:] == 1.0).all()


def test_accelerators_are_read_in_shares_and_bytes_without_blank_values(source: PrometheusSource) -> None:
    np.testing.assert_allclose(read(source, WORKLOAD, Signal.ACCELERATOR_BUSY), 0.9)
    np.testing.assert_allclose(read(source, WORKLOAD, Signal.ACCELERATOR_MEMORY_BYTES), 12_000 * MIB)


def test_without_a_cluster_a_process_tells_of_itself(source: PrometheusSource) -> None:
    own = replace(WORKLOAD, labels={"service": "own", "model": "digits"}, target=None)
    np.testing.assert_allclose(read(source, own, Signal.CPU_CORES), 0.35, rtol=1e-6)
    np.testing.assert_allclose(read(source, own, Signal.CPU_CORES_PEAK), 0.5, rtol=1e-6)
    assert read(source, own, Signal.MEMORY_BYTES).max() == 1800 * MIB
    with pytest.raises(NoData, match="exports no accelerator_busy"):
        read(source, own, Signal.ACCELERATOR_BUSY)


def test_versions_come_from_the_runtime_or_else_from_images(source: PrometheusSource) -> None:
    """Each counts from the end of the first hour in which it was seen, what was always there from the begin."""
    own = replace(WORKLOAD, labels={"service": "own", "model": "digits"}, target=None)
    assert source.versions(own, at=NOW, lookback=6 * HOUR) == (
        VersionSeen(name="1", since=START),
        VersionSeen(name="2", since=START + 3 * HOUR),
    )
    assert source.versions(WORKLOAD, at=NOW, lookback=6 * HOUR) == (
        VersionSeen(name="r/m:1", since=START),
        VersionSeen(name="r/m:2", since=START + 4 * HOUR),
    )
    with pytest.raises(NoData, match="knows no version"):
        source.versions(replace(WORKLOAD, target=None), at=NOW, lookback=6 * HOUR)


def seen(source: PrometheusSource, *, resources: bool = True) -> Observation:
    return observe(source, WORKLOAD, at=NOW, lookback=6 * HOUR, step=FIVE, resources=resources)


def test_an_observation_holds_the_use_on_a_grid_of_quarters(source: PrometheusSource) -> None:
    known = seen(source)
    for name in ("cpu_cores", "cpu_cores_peak", "memory_bytes", "out_of_memory", "accelerator_busy"):
        history = getattr(known.use, name)
        assert isinstance(history, LoadHistory), name
        assert (history.step, history.end) == (QUARTER, NOW)
    assert not isinstance(known.versions, Unknown)
    assert [version.name for version in known.versions] == ["r/m:1", "r/m:2"]
    assert isinstance(known.load, Unknown)


def test_what_is_not_wanted_is_not_asked_for(source: PrometheusSource) -> None:
    assert seen(source, resources=False).use == ResourceUse()
