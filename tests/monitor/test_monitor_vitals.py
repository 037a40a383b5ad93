"""Which metrics an expression selects, which names are near to one, and how little is asked of a server to look at them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.health import MetricSeen
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import ScaleTarget, Workload
from monitor import kubernetes
from monitor.profiles import PROFILES
from monitor.prometheus import PrometheusSource
from monitor.vitals import near_names, selected
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, Reply, Scripted, backfill

NOW = datetime(2025, 3, 3, 12, tzinfo=UTC)
FIVE_MINUTES = timedelta(minutes=5)
ODD = Workload(id="odd", runtime="trimtab-serving", labels={"service": 'a"}[5m] b{', "model": "c\\d\ne"})
CHAT = Workload(id="chat", runtime="vllm", labels={"model_name": "chat"})
EMPTY = b'{"status":"success","data":{"resultType":"matrix","result":[]}}'


@pytest.mark.parametrize("runtime", sorted(PROFILES))
def test_every_expression_of_every_runtime_selects_metrics_of_the_workload(runtime: str) -> None:
    """Whatever the labels hold, and a failed request's series, which is born late, is no metric of its own."""
    profile = PROFILES[runtime]
    for signal in profile.expressions.keys() - {Signal.SLOW_RATIO}:  # of which one bucket alone is asked
        query = profile.query(signal, ODD.labels)
        assert query is not None
        found = selected(query)
        assert found
        for one in found:
            assert one.matchers.endswith(one.matchers[one.matchers.index("model=") :])
            assert str(one) in query
            assert not {"status", "finished_reason", "le"} & {part.split("=")[0] for part in one.matchers.split(",")}


@given(service=st.text(), model=st.text(), runtime=st.sampled_from(sorted(PROFILES)))
def test_what_labels_hold_never_changes_which_metrics_are_selected(service: str, model: str, runtime: str) -> None:
    profile = PROFILES[runtime]
    for signal in profile.expressions:
        plain = profile.query(signal, dict.fromkeys(profile.identity, "x"))
        odd = profile.query(signal, dict(zip(profile.identity, (service, model), strict=False)))
        assert plain is not None
        assert odd is not None
        assert [(one.name, one.counter) for one in selected(odd)] == [
            (one.name, one.counter) for one in selected(plain)
        ]


def test_counters_are_those_of_which_a_rate_is_taken() -> None:
    query = PROFILES["vllm"].query(Signal.REQUEST_RATE, CHAT.labels)
    assert query is not None
    assert {one.name: one.counter for one in selected(query)} == {
        "vllm:request_success_total": True,
        "vllm:num_requests_waiting": False,
        "vllm_request_success_total": True,
        "vllm_num_requests_waiting": False,
    }


def test_what_a_cluster_tells_is_selected_by_both_forms_of_its_labels() -> None:
    query = kubernetes.query(ScaleTarget(name="chat", namespace="prod"), Signal.MEMORY_BYTES, "5m")
    assert query is not None
    assert [one.name for one in selected(query)] == ["container_memory_working_set_bytes"] * 2


@pytest.mark.parametrize(
    "name, there, near",
    [
        ("vllm:request_success_total", ["ray_vllm_request_success_total"], ["ray_vllm_request_success_total"]),
        ("vllm:request_success_total", ["vllm:request_success"], ["vllm:request_success"]),
        ("vllm:request_success_total", ["request_success_total"], ["request_success_total"]),
        ("vllm:request_success_total", ["vllm:request_success_created", "vllm:request_params_n"], []),
        ("vllm:num_requests_waiting", ["vllm:num_requests_running", "vllm:num_requests_waiting"], []),
        ("vllm:e2e_request_latency_seconds_bucket", ["vllm:e2e_request_latency_seconds_count"], []),
        (
            "vllm:time_to_first_token_seconds_bucket",
            ["vllm:time_to_first_token_milliseconds_bucket", "vllm:inter_token_latency_seconds_bucket"],
            ["vllm:time_to_first_token_milliseconds_bucket"],
        ),
        ("ai_requests_total", ["ai_requests", "ai_request_arrivals_total", "ai_ready"], ["ai_requests"]),
    ],
)
def test_a_near_name_is_the_same_but_for_what_pipelines_and_versions_change(
    name: str, there: list[str], near: list[str]
) -> None:
    assert list(near_names(name, there)) == near


def test_a_metric_that_is_not_there_costs_two_queries_and_one_a_workload() -> None:
    with Scripted(lambda _: Reply(body=EMPTY)) as server:
        source = PrometheusSource(server.url)
        signals = (Signal.REQUEST_RATE, Signal.ERROR_RATIO, Signal.QUEUE)
        asked = source.asked(CHAT, signals, at=NOW, step=FIVE_MINUTES)
        queries = [parse_qs(urlsplit(each.path).query)["query"][0] for each in server.asked]
    # Two metrics in two forms, and three series of recording rules, which are looked at alone.
    names = {metric.name for one in asked if not isinstance(one.metrics, Unknown) for metric in one.metrics}
    assert len(names) == 6
    assert len(queries) == len(set(queries)) == 6 + 4 + 1
    assert sum(query.startswith("count by (__name__)") for query in queries) == 1
    assert all(metric.series == 0 for one in asked for metric in seen(one.metrics))


def seen(metrics: tuple[MetricSeen, ...] | Unknown) -> tuple[MetricSeen, ...]:
    assert not isinstance(metrics, Unknown)
    return metrics


def test_a_signal_that_the_runtime_does_not_export_asks_nothing() -> None:
    with Scripted(lambda _: Reply(body=EMPTY)) as server:
        (asked,) = PrometheusSource(server.url).asked(CHAT, (Signal.ACCURACY,), at=NOW, step=FIVE_MINUTES)
        assert server.asked == []
    assert (asked.expressions, asked.metrics) == ((), ())


@pytest.fixture(scope="module")
def source(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusSource]:
    """A series of a scrape each 15 s that ended 100 s ago, one that began two minutes ago, one with a value of NaN."""
    end = NOW.timestamp() - 100

    def gauge(model: str, times: list[float], value: float = 1.0) -> str:
        labels = {"service": "shop", "model": model, "job": "j", "instance": model}
        return samples("ai_ready", labels, times, [value] * len(times))

    series = [
        gauge("ended", [end - 15 * i for i in range(200)][::-1]),
        gauge("begun", [NOW.timestamp() - 120 + 30 * i for i in range(5)]),
        gauge("once", [NOW.timestamp() - 10]),
        gauge("nan", [NOW.timestamp() - 60 * i for i in range(30)][::-1], float("nan")),
    ]
    folder = tmp_path_factory.mktemp("vitals")
    with Prometheus(folder, data=backfill(document(family("ai_ready", "gauge", series)), folder / "data")) as server:
        yield PrometheusSource(server.url)


@pytest.mark.servers
@pytest.mark.parametrize(
    "model, age_s, every_s",
    [("ended", 100, 15), ("begun", 0, 30), ("nan", 0, 60), ("once", 10, None), ("never", None, None)],
)
def test_age_and_interval_are_those_of_the_samples(
    source: PrometheusSource, model: str, age_s: float | None, every_s: float | None
) -> None:
    workload = Workload(id=model, runtime="trimtab-serving", labels={"service": "shop", "model": model})
    (asked,) = source.asked(workload, (Signal.READY_REPLICAS,), at=NOW, step=FIVE_MINUTES)
    metric = next(one for one in seen(asked.metrics) if one.name == "ai_ready")
    assert metric.series == (0 if model == "never" else 1)
    assert isinstance(metric.age, Unknown) if age_s is None else metric.age == timedelta(seconds=age_s)
    if every_s is None:
        assert isinstance(metric.every, Unknown)
    else:
        assert isinstance(metric.every, timedelta)
        assert metric.every.total_seconds() == pytest.approx(every_s, rel=0.01)
