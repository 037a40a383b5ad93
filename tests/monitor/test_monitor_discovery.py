"""Workloads are found by what their runtime exports, whatever their labels hold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.errors import BadAnswer, NoData
from domain.signals import Signal
from monitor.prometheus import PrometheusSource
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, Scripted, backfill
from tests.servers import Reply as HttpReply

pytestmark = pytest.mark.servers

START = datetime(2025, 3, 3, tzinfo=UTC)
NOW = START + timedelta(days=3)
TIMES = START.timestamp() + 60.0 * np.arange(3 * 1440)
ODD = ('say "hi"', "C:\\models\\new", "größe=µ,模型", "{a}[5m]", "$by", "line\nbreak", "it's", "a:b")


def history() -> str:
    def gauge(name: str, labels: dict[str, str], minutes: slice = slice(None)) -> str:
        times = TIMES[minutes]
        return samples(name, labels, times, np.ones(len(times)))

    odd = [
        samples("ai_requests_total", {"service": value, "model": "m"}, TIMES[-30:], (60.0 + i) * np.arange(30))
        for i, value in enumerate(ODD)
    ]
    return document(
        family("ai_requests", "counter", odd),
        family(
            "ai_ready",
            "gauge",
            [
                gauge("ai_ready", {"service": "shop", "model": "at-zero", "instance": "a"}, slice(0, 600)),
                gauge("ai_ready", {"service": "shop", "model": "short", "instance": "a"}, slice(70, 75)),
                gauge("ai_ready", {"service": "shop", "model": "", "instance": "a"}),
            ],
        ),
        family(
            "vllm:num_requests_running",
            "gauge",
            [
                gauge("vllm:num_requests_running", {"model_name": "meta-llama/Llama-3.1-8B", "engine": "0"}),
                gauge("vllm:num_requests_running", {"model_name": "meta-llama/Llama-3.1-8B", "engine": "1"}),
                gauge("vllm:num_requests_running", {"server": "http://10.0.0.1:8000"}),
            ],
        ),
        family("vllm_num_requests_running", "gauge", [gauge("vllm_num_requests_running", {"model_name": "rewritten"})]),
    )


@pytest.fixture(scope="module")
def source(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusSource]:
    folder: Path = tmp_path_factory.mktemp("discovery")
    with Prometheus(folder, data=backfill(history(), folder / "data")) as server:
        yield PrometheusSource(server.url)


def test_every_runtime_and_every_identity_is_found_once(source: PrometheusSource) -> None:
    """A router without a model name and a model without a name are none; one scaled to zero two days ago is."""
    found = {workload.id: workload.runtime for workload in source.workloads(at=NOW)}
    assert found == {f"{value}:m": "trimtab-serving" for value in ODD} | {
        "shop:at-zero": "trimtab-serving",
        "shop:short": "trimtab-serving",
        "meta-llama/Llama-3.1-8B": "vllm",
        "rewritten": "vllm",
    }


def test_a_label_may_hold_anything_and_still_selects_its_own_series(source: PrometheusSource) -> None:
    """Quotes, backslashes, unicode, braces, our own marks and line breaks: each finds its own rate, end to end."""
    found = {workload.labels.get("service"): workload for workload in source.workloads(at=NOW)}
    for i, value in enumerate(ODD):
        end = NOW - timedelta(minutes=5)
        asked = source.load(
            found[value], Signal.REQUEST_RATE, start=end - timedelta(minutes=5), end=end, step=timedelta(minutes=5)
        )
        assert asked.values[0] == pytest.approx((60 + i) / 60)


def test_what_is_not_yet_is_not_found(source: PrometheusSource) -> None:
    early = {workload.id for workload in source.workloads(at=START + timedelta(minutes=30))}
    assert early == {"shop:at-zero", "meta-llama/Llama-3.1-8B", "rewritten"}


def test_a_prometheus_without_any_model_server_is_no_data(source: PrometheusSource) -> None:
    with pytest.raises(NoData, match=r"looked for ai_requests_total, ai_ready, vllm:num_requests_running"):
        source.workloads(at=START - timedelta(days=30))


def test_two_workloads_of_one_id_are_refused_by_name() -> None:
    """`a:b` of c, and a of `b:c`: joined they are one."""
    body = (
        b'{"data":{"result":[{"metric":{"service":"a:b","model":"c"},"values":[]},'
        b'{"metric":{"service":"a","model":"b:c"},"values":[]}]}}'
    )
    with (
        Scripted(lambda _: HttpReply(body=body)) as server,
        pytest.raises(BadAnswer, match=r"knows 'a:b:c' as .*relabel one"),
    ):
        PrometheusSource(server.url).workloads(at=NOW)
