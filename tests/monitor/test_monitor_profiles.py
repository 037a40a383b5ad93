"""Each profile against what its runtime really shows: every name exists, every expression answers."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.errors import NoData
from domain.signals import RuntimeProfile, Signal
from domain.workload import Slo, Workload
from monitor.profiles import PROFILES
from monitor.prometheus import PrometheusSource
from tests.exposition import names_and_labels, scraped
from tests.openmetrics import samples
from tests.servers import ModelServer, Prometheus, backfill, promtool

DATA = Path(__file__).resolve().parent.parent / "data"
VLLM = (DATA / "vllm_metrics.txt").read_text(encoding="utf-8")
START = datetime(2025, 3, 3, tzinfo=UTC)
FIVE = timedelta(minutes=5)
TIMES = START.timestamp() + 30.0 * np.arange(41)
LLAMA = {"model_name": "meta-llama/Llama-3.1-8B-Instruct"}
FROM_ELSEWHERE = {"ai_model_accuracy"}  # the quality exporter's, not the model server's
FORMER = {"vllm:time_per_output_token_seconds_bucket"}  # what the first generation of vLLM called it


def asked_names(expression: str) -> set[str]:
    """The metric names of a PromQL expression: words before a brace or a bracket that are no function."""
    return set(re.findall(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*[{\[]", expression))


def asked_labels(profile: RuntimeProfile) -> set[str]:
    """Every label that a profile groups by or matches on, apart from those that a scrape adds."""
    text = " ".join(profile.expressions.values())
    matched = set(re.findall(r'([a-z_]+)(?:=|!=|=~)"', text))
    return (matched | set(profile.identity)) - {"job", "instance"}


@pytest.fixture(scope="module")
def shown_by_serving(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What our own server really shows after three good requests, one refused and (as if) one that failed."""
    with ModelServer(tmp_path_factory.mktemp("serving"), flags=("--service", "vision")) as server:
        for body in ([[0.5] * 64],) * 3 + ("senseless",):
            request = urllib.request.Request(
                f"{server.url}/predict",
                data=json.dumps({"model_id": "digits", "input_data": body}).encode(),
                headers={"Content-Type": "application/json"},
            )
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=10):
                pass
        with urllib.request.urlopen(f"{server.url}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
    head = 'ai_requests_total{endpoint="/predict",model="digits",service="vision",status="500"}'
    assert f"{head} 0.0" in text
    return text.replace(f"{head} 0.0", f"{head} 1.0")


@pytest.fixture
def shown(name: str, request: pytest.FixtureRequest) -> dict[str, set[str]]:
    text: str = VLLM if name == "vllm" else request.getfixturevalue("shown_by_serving")
    return names_and_labels(text)


@pytest.mark.parametrize("name", PROFILES)
def test_every_metric_and_label_that_a_profile_asks_for_exists(name: str, shown: dict[str, set[str]]) -> None:
    profile = PROFILES[name]
    for signal, expression in profile.expressions.items():
        # A pipeline may have written "_" for ":": such a name is the same metric.
        asked = {re.sub(r"^vllm_", "vllm:", metric) for metric in asked_names(expression)}
        assert asked <= set(shown) | FROM_ELSEWHERE | FORMER, signal
    assert asked_labels(profile) <= set().union(*shown.values())
    assert {re.sub(r"^vllm_", "vllm:", metric) for metric in profile.fingerprint} <= set(shown)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_whole_and_its_recorded_series_answer_signals_it_knows(name: str) -> None:
    profile = PROFILES[name]
    assert profile.name == name
    assert set(profile.recorded) <= set(profile.expressions)
    assert len(set(profile.recorded.values())) == len(profile.recorded)
    for signal in profile.buckets:
        assert profile.bucket_rates(signal, {}, window="7m")
        assert "$" not in (profile.bucket_rates(signal, {}) or "")
    assert {Signal.REQUEST_RATE, Signal.ERROR_RATIO, Signal.LATENCY, Signal.READY_REPLICAS} <= set(profile.expressions)


@pytest.mark.parametrize("labels", [{}, {"service": 'a"b', "model": "c\\d"}], ids=["none", "odd"])
@pytest.mark.parametrize("name", PROFILES)
def test_every_expression_is_promql_with_and_without_a_selector(
    name: str, labels: dict[str, str], tmp_path: Path, prometheus_installed: None
) -> None:
    """Without one it is what a recording rule evaluates for all workloads at once."""
    profile = PROFILES[name]
    rules = "".join(
        f"  - record: trial:{signal.value}\n    expr: |-\n      {profile.query(signal, labels)}\n"
        for signal in profile.expressions
    )
    (tmp_path / "trial.yml").write_text(f"groups:\n- name: trial\n  rules:\n{rules}", encoding="utf-8")
    assert f"SUCCESS: {len(profile.expressions)} rules found" in promtool("check", "rules", tmp_path / "trial.yml")


def vllm_history() -> str:
    """An engine; the same behind a pipeline that rewrites colons; a saturated one whose queue grows."""

    def rewritten(name: str, labels: dict[str, str]) -> str | None:
        return name.replace(":", "_") if "model_name" in labels else None

    def saturated(name: str, labels: dict[str, str]) -> str | None:
        return None if name == "vllm:num_requests_waiting" or "model_name" not in labels else name

    def named(model: str) -> str:
        return VLLM.replace(LLAMA["model_name"], model)

    queue = samples("vllm:num_requests_waiting", {"model_name": "full", "job": "models"}, TIMES, 60.0 * np.arange(41))
    return "".join(
        [
            scraped(VLLM, TIMES),
            scraped(VLLM, TIMES, instance="10.0.0.2:8000"),
            scraped(named("rewritten"), TIMES, rename=rewritten),
            scraped(named("full"), TIMES, rename=saturated),
            queue,
            "# EOF\n",
        ]
    )


@pytest.fixture(scope="module")
def vllm(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusSource]:
    folder: Path = tmp_path_factory.mktemp("vllm")
    with Prometheus(folder, data=backfill(vllm_history(), folder / "data")) as server:
        yield PrometheusSource(server.url)


def newest(source: PrometheusSource, model: str, signal: Signal, quantile: float = 0.95) -> float:
    workload = Workload(id=model, runtime="vllm", labels={"model_name": model})
    workload = replace(workload, slo=replace(workload.slo, latency_quantile=quantile))
    end = START + 3 * FIVE
    return float(source.load(workload, signal, start=end - FIVE, end=end, step=FIVE).values[0])


# From the exposition: 140 requests a scrape of 30 s, of which 8 aborted, on each of two instances.
VLLM_SAYS = {
    Signal.REQUEST_RATE: 2 * 140 / 30,
    Signal.ERROR_RATIO: 8 / 140,
    Signal.LATENCY: 2.5 + 2.5 * (0.95 * 140 - 125) / (138 - 125),
    Signal.SLOW_RATIO: 1 - 4 / 140,
    Signal.TIME_TO_FIRST_TOKEN: 0.06 + 0.02 * (0.95 * 140 - 123) / (138 - 123),
    Signal.INTER_TOKEN_LATENCY: 0.025 + 0.025 * (0.95 * 27313 - 21000) / (27100 - 21000),
    Signal.SERVICE_TIME: 201.6 / 140,
    Signal.IN_FLIGHT: 16.0,
    Signal.QUEUE: 6.0,
    Signal.TOKEN_RATE: 2 * 27453 / 30,
    Signal.PROMPT_TOKEN_RATE: 2 * 61200 / 30,
    Signal.READY_REPLICAS: 2.0,
}


@pytest.mark.servers
def test_vllm_is_found_with_its_router_left_out(vllm: PrometheusSource) -> None:
    assert {workload.id for workload in vllm.workloads(at=START + 3 * FIVE)} == {
        LLAMA["model_name"],
        "rewritten",
        "full",
    }


@pytest.mark.servers
@pytest.mark.parametrize("signal", PROFILES["vllm"].expressions)
def test_vllm_answers_every_signal_with_what_it_shows(vllm: PrometheusSource, signal: Signal) -> None:
    """Summed over instances, engines and reasons, the router's copies not counted."""
    assert newest(vllm, LLAMA["model_name"], signal) == pytest.approx(VLLM_SAYS[signal])


@pytest.mark.servers
@pytest.mark.parametrize("signal", PROFILES["vllm"].expressions)
def test_vllm_is_understood_where_a_pipeline_rewrote_its_colons(vllm: PrometheusSource, signal: Signal) -> None:
    summed = {Signal.REQUEST_RATE, Signal.IN_FLIGHT, Signal.QUEUE, Signal.READY_REPLICAS}
    summed |= {Signal.TOKEN_RATE, Signal.PROMPT_TOKEN_RATE}
    expected = VLLM_SAYS[signal] / (2 if signal in summed else 1)
    assert newest(vllm, "rewritten", signal) == pytest.approx(expected)


@pytest.mark.servers
def test_vllm_s_demand_under_saturation_is_what_arrives_not_what_completes(vllm: PrometheusSource) -> None:
    """140 completed and 60 more waiting at each scrape of 30 s."""
    assert newest(vllm, "full", Signal.REQUEST_RATE) == pytest.approx((140 + 60) / 30)


@pytest.mark.servers
@pytest.mark.parametrize("latency_s, slow", [(0.5, 1 - 4 / 140), (1.0, 1 - 47 / 140), (2.5, 1 - 125 / 140)])
def test_slow_requests_are_counted_at_the_bucket_of_the_slo(
    vllm: PrometheusSource, latency_s: float, slow: float
) -> None:
    """However the end of a bucket is written; between two buckets nobody can tell."""
    slo, end = Slo(latency=timedelta(seconds=latency_s)), START + 3 * FIVE
    workload = Workload(id="llama", runtime="vllm", labels=LLAMA, slo=slo)
    seen = vllm.load(workload, Signal.SLOW_RATIO, start=end - FIVE, end=end, step=FIVE)
    assert seen.values[0] == pytest.approx(slow)
    between = replace(workload, slo=replace(slo, latency=slo.latency + timedelta(milliseconds=10)))
    with pytest.raises(NoData):
        vllm.load(between, Signal.SLOW_RATIO, start=end - FIVE, end=end, step=FIVE)


@pytest.mark.servers
def test_a_model_that_is_not_there_has_no_data(vllm: PrometheusSource) -> None:
    with pytest.raises(NoData):
        newest(vllm, "absent", Signal.REQUEST_RATE)


@pytest.fixture(scope="module")
def serving(
    prometheus_installed: None, shown_by_serving: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrometheusSource]:
    """Two instances of our server; one that counts no arrivals yet, beside one that does; one whose answers lag."""
    folder: Path = tmp_path_factory.mktemp("vision")

    def older(name: str, labels: dict[str, str]) -> str | None:
        return None if name == "ai_request_arrivals_total" else name

    def named(service: str) -> str:
        return shown_by_serving.replace('service="vision"', f'service="{service}"')

    arrived = 'ai_request_arrivals_total{model="digits",service="lagging"}'
    history = "".join(
        [
            scraped(shown_by_serving, TIMES),
            scraped(shown_by_serving, TIMES, instance="10.0.0.2:8080"),
            scraped(named("older"), TIMES, instance="10.0.0.3:8080", rename=older),
            scraped(named("older"), TIMES, instance="10.0.0.5:8080"),
            scraped(named("lagging").replace(f"{arrived} 3.0", f"{arrived} 30.0"), TIMES, instance="10.0.0.4:8080"),
            samples("ai_model_accuracy", {"service": "vision", "model": "digits"}, TIMES, np.full(41, 0.97)),
            "# EOF\n",
        ]
    )
    with Prometheus(folder, data=backfill(history, folder / "data")) as server:
        yield PrometheusSource(server.url)


def of_serving(source: PrometheusSource, service: str, signal: Signal) -> float:
    workload = Workload(id=service, runtime="trimtab-serving", labels={"service": service, "model": "digits"})
    end = START + 3 * FIVE
    return float(source.load(workload, signal, start=end - FIVE, end=end, step=FIVE).values[0])


@pytest.mark.servers
@pytest.mark.parametrize("signal", PROFILES["trimtab-serving"].expressions)
def test_our_server_answers_every_signal(serving: PrometheusSource, signal: Signal) -> None:
    value = of_serving(serving, "vision", signal)
    exact = {
        Signal.REQUEST_RATE: 2 * 3 / 30,
        Signal.ERROR_RATIO: 1 / 4,
        Signal.SLOW_RATIO: 0.0,
        Signal.READY_REPLICAS: 2.0,
        Signal.IN_FLIGHT: 0.0,
        Signal.ACCURACY: 0.97,
    }
    if signal in exact:
        assert value == pytest.approx(exact[signal])
    else:
        assert value > 0


@pytest.mark.servers
def test_load_is_what_arrives_and_where_that_was_not_counted_what_was_answered(serving: PrometheusSource) -> None:
    assert of_serving(serving, "lagging", Signal.REQUEST_RATE) == pytest.approx(30 / 30)
    assert of_serving(serving, "older", Signal.REQUEST_RATE) == pytest.approx((4 + 3) / 30)
