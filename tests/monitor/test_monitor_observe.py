"""What is gathered before a decision: known facts, and for the rest a reason in place of a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.capacity import ReadyBasis
from domain.errors import BadAnswer, NoData, SourceError, SourceUnavailable
from domain.load import LoadHistory
from domain.observation import Declared, Observation, RunningState, TokenRates
from domain.signals import Signal
from domain.unknown import Unknown
from domain.workload import PurchaseMix, ScaleTarget, ServingMode, Slo, Workload
from monitor.observe import observe
from monitor.prometheus import PrometheusSource
from monitor.recorded import RecordedSource
from tests.openmetrics import document, family, samples
from tests.servers import Prometheus, backfill

START = datetime(2025, 3, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)
NOW = START + 6 * HOUR
WORKLOAD = Workload(id="shop:digits", runtime="trimtab-serving", labels={"service": "shop", "model": "digits"})
TIMES = START.timestamp() + 60.0 * np.arange(361)
DECLARED = Declared(
    capacity_rps=12.5, time_to_ready=timedelta(seconds=90), service_time=timedelta(milliseconds=80), offer="m5.large"
)


@dataclass
class Told:
    """A source that tells what it is given for a signal, and raises what is an error."""

    facts: dict[Signal, float | SourceError]
    asked: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    def load(
        self, workload: Workload, signal: Signal, /, *, start: datetime, end: datetime, step: timedelta
    ) -> LoadHistory:
        self.asked.append((workload.id, start, end))
        fact = self.facts.get(signal, NoData("told", f"has no {signal.value}", "none"))
        if isinstance(fact, SourceError):
            raise fact
        return LoadHistory(start=start, step=step, values=np.full((end - start) // step, fact))

    def workloads(self, *, at: datetime) -> Sequence[Workload]:
        return [WORKLOAD] if at >= START else []


def seen(facts: dict[Signal, float | SourceError], declared: Declared | None = None, at: datetime = NOW) -> Observation:
    return observe(Told(facts), WORKLOAD, at=at, lookback=6 * HOUR, step=FIVE, declared=declared)


def reason(fact: object) -> str:
    assert isinstance(fact, Unknown)
    return fact.reason


def test_what_is_known_is_told_and_the_rest_is_unknown_with_its_reason() -> None:
    known = seen({Signal.REQUEST_RATE: 3.0})
    assert isinstance(known.load, LoadHistory)
    assert known.load.values.tolist() == [3.0] * 72
    assert reason(known.latency) == "told: has no latency; none"
    assert "has no error_ratio" in reason(known.errors)
    assert "has no ready_replicas" in reason(known.replicas)
    assert "has no service_time" in reason(known.service_time_s)
    assert reason(known.declared_capacity_rps) == "no capacity is declared"
    assert "`offer`" in reason(known.running)


def test_a_workload_without_requests_on_record_is_a_fact_but_a_failing_source_is_not() -> None:
    assert "has no request_rate" in reason(seen({}).load)
    for failure in (SourceUnavailable("told", "is dead", "wake it"), BadAnswer("told", "lies", "ask another")):
        with pytest.raises(type(failure)):
            seen({Signal.REQUEST_RATE: failure})


def test_any_other_signal_that_fails_is_unknown_not_zero_and_stops_nothing() -> None:
    wrong = BadAnswer("told", "is confused", "wake it")
    partial = seen(
        {Signal.REQUEST_RATE: 3.0, Signal.LATENCY: wrong, Signal.READY_REPLICAS: wrong, Signal.ERROR_RATIO: 0.0}
    )
    assert reason(partial.latency) == reason(partial.replicas) == "told: is confused; wake it"
    assert isinstance(partial.errors, LoadHistory)


@pytest.mark.parametrize("signal", [Signal.LATENCY, Signal.READY_REPLICAS, Signal.ERROR_RATIO, Signal.SERVICE_TIME])
def test_a_source_that_dies_half_way_has_not_told_the_truth(signal: Signal) -> None:
    dead = SourceUnavailable("told", "is dead", "wake it")
    with pytest.raises(SourceUnavailable, match="is dead"):
        seen({Signal.REQUEST_RATE: 3.0, signal: dead})


def test_only_steps_that_have_ended_are_asked_for() -> None:
    told = Told({Signal.REQUEST_RATE: 1.0})
    observe(told, WORKLOAD, at=NOW + timedelta(seconds=299.5), lookback=6 * HOUR, step=FIVE)
    assert {(start, end) for _, start, end in told.asked} == {(START, NOW)}
    with pytest.raises(ValueError, match="holds no step"):
        observe(told, WORKLOAD, at=NOW, lookback=timedelta(minutes=4), step=FIVE)


def test_what_is_declared_wins_over_what_is_measured() -> None:
    stated = seen({Signal.REQUEST_RATE: 3.0, Signal.SERVICE_TIME: 9.9, Signal.READY_REPLICAS: 4.0}, DECLARED)
    assert stated.declared_capacity_rps == 12.5
    assert stated.service_time_s == 0.08
    assert stated.time_to_ready.basis is ReadyBasis.DECLARED
    assert stated.time_to_ready.p90 == timedelta(seconds=90)
    assert stated.running == RunningState(
        replicas=4, mode=ServingMode.DEDICATED, offer="m5.large", purchase=PurchaseMix(on_demand=4.0)
    )
    assert seen({Signal.REQUEST_RATE: 3.0}, replace(DECLARED, replicas=7)).running == RunningState(
        replicas=7, mode=ServingMode.DEDICATED, offer="m5.large", purchase=PurchaseMix(on_demand=7.0)
    )


def test_how_they_are_bought_is_declared_in_shares_and_holds_while_none_runs() -> None:
    def bought(replicas: int, mode: ServingMode | None = None) -> PurchaseMix:
        declared = replace(DECLARED, replicas=replicas, mode=mode, reserved_share=0.5, spot_share=0.25)
        found = seen({Signal.REQUEST_RATE: 3.0}, declared).running
        assert isinstance(found, RunningState)
        return found.purchase

    assert bought(8) == PurchaseMix(reserved=4.0, on_demand=2.0, spot=2.0)
    assert bought(0) == PurchaseMix(reserved=0.5, on_demand=0.25, spot=0.25)
    assert bought(8, ServingMode.SERVERLESS) == PurchaseMix(on_demand=8.0)


def test_replicas_are_never_made_up() -> None:
    assert "neither declared nor known" in reason(seen({Signal.REQUEST_RATE: 3.0}, DECLARED).running)
    serverless = seen({Signal.REQUEST_RATE: 3.0}, replace(DECLARED, mode=ServingMode.SERVERLESS, offer="lambda"))
    assert serverless.running == RunningState(
        replicas=0, mode=ServingMode.SERVERLESS, offer="lambda", purchase=PurchaseMix()
    )


def test_a_count_of_replicas_that_ended_long_ago_is_not_what_runs_now() -> None:
    def running(known: int) -> RunningState | Unknown:
        class Ended(Told):
            def load(
                self, workload: Workload, signal: Signal, /, *, start: datetime, end: datetime, step: timedelta
            ) -> LoadHistory:
                history = super().load(workload, signal, start=start, end=end, step=step)
                values = np.array(history.values)
                values[known:] = np.nan if signal is Signal.READY_REPLICAS else values[known:]
                return LoadHistory(start=start, step=step, values=values)

        told = Ended({Signal.REQUEST_RATE: 3.0, Signal.READY_REPLICAS: 40.0})
        return observe(told, WORKLOAD, at=NOW, lookback=6 * HOUR, step=FIVE, declared=DECLARED).running

    assert isinstance(running(67), RunningState)  # the last 25 of 360 minutes are missing
    assert "in the last 30 min" in reason(running(60))


def test_a_time_to_ready_that_nobody_measured_is_named_an_assumption() -> None:
    assumed = seen({Signal.REQUEST_RATE: 3.0}).time_to_ready
    assert (assumed.basis, assumed.p90, assumed.samples) == (ReadyBasis.ASSUMED, timedelta(seconds=300), 0)
    assert "an assumption of 300 s" in assumed.detail


def test_recorded_files_are_observed_like_any_source(tmp_path: Path) -> None:
    rows = "".join(f"{START + i * timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ},60,2\n" for i in range(360))
    path = tmp_path / "t.csv"
    path.write_text(f"timestamp,requests,replicas\n{rows}", encoding="utf-8")
    source = RecordedSource({"t": path})
    (workload,) = source.workloads(at=NOW)
    known = observe(source, workload, at=NOW, lookback=6 * HOUR, step=FIVE)
    assert isinstance(known.load, LoadHistory)
    assert isinstance(known.replicas, LoadHistory)
    assert known.load.values.tolist() == [1.0] * 72
    assert known.replicas.values.tolist() == [2.0] * 72
    assert known.source == "recorded history (1 file)"
    assert "connect a Prometheus" in reason(known.latency)


def history() -> str:
    """Five hours of a service whose process started three times, and the pods of its deployment."""
    ready = {"service": "shop", "model": "digits", "job": "j"}
    slow, quick = np.full(61, 41.0), np.full(61, 7.5)

    def pod(name: str, metric: str, value: float, minutes: slice, namespace: str = "ml") -> str:
        times = TIMES[minutes]
        return samples(metric, {"namespace": namespace, "pod": name, "uid": name}, times, np.full(len(times), value))

    born = START.timestamp()
    starts = {"shop-6f7c9d-abcde": 30.0, "shop-6f7c9d-fghij": 60.0, "shop-7d5f8b-klmno": 240.0}
    return document(
        family(
            "ai_ready",
            "gauge",
            [samples("ai_ready", {**ready, "instance": f"{i}"}, TIMES[:301], np.ones(301)) for i in range(2)],
        ),
        family(
            "ai_startup_seconds",
            "gauge",
            [
                samples(
                    "ai_startup_seconds",
                    {"service": "shop", "job": "j", "instance": "0"},
                    TIMES[:122],
                    np.concatenate([slow, quick]),
                ),
                samples(
                    "ai_startup_seconds",
                    {"service": "shop", "job": "j", "instance": "1"},
                    TIMES[:61],
                    np.full(61, 12.0),
                ),
                samples(
                    "ai_startup_seconds",
                    {"service": "other", "job": "j", "instance": "9"},
                    TIMES[:61],
                    np.full(61, 999.0),
                ),
            ],
        ),
        family(
            "kube_pod_created",
            "gauge",
            [pod(name, "kube_pod_created", born, slice(0, 300)) for name in starts]
            + [pod("shopping-6f7c9d-zzzzz", "kube_pod_created", born, slice(0, 300))],
        ),
        family(
            "kube_pod_status_ready_time",
            "gauge",
            [pod(name, "kube_pod_status_ready_time", born + after, slice(10, 100)) for name, after in starts.items()]
            + [
                # The first pod was unready for a while: its ready time moved on by an hour.
                pod("shop-6f7c9d-abcde", "kube_pod_status_ready_time", born + 3600, slice(100, 300)),
                pod("shopping-6f7c9d-zzzzz", "kube_pod_status_ready_time", born + 999, slice(10, 300)),
            ],
        ),
    )


@pytest.fixture(scope="module")
def source(prometheus_installed: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusSource]:
    folder: Path = tmp_path_factory.mktemp("starts")
    with Prometheus(folder, data=backfill(history(), folder / "data")) as server:
        yield PrometheusSource(server.url)


@pytest.mark.servers
def test_each_start_of_a_process_is_measured_once(source: PrometheusSource) -> None:
    """Two on one instance (the second quicker), one on another; another service's is not ours."""
    starts = source.starts(WORKLOAD, at=NOW, lookback=6 * HOUR)
    assert sorted(starts.seconds) == [7.5, 12.0, 41.0]
    assert "without scheduling and image pull" in starts.detail


@pytest.mark.servers
def test_pods_are_measured_from_creation_to_first_ready(source: PrometheusSource) -> None:
    """Becoming ready again is no start, and a deployment whose name merely begins alike is another."""
    target = replace(WORKLOAD, target=ScaleTarget(name="shop", namespace="ml"))
    assert sorted(source.starts(target, at=NOW, lookback=6 * HOUR).seconds) == [30.0, 60.0, 240.0]


@pytest.mark.servers
def test_a_measured_time_to_ready_has_quantiles_that_were_seen(source: PrometheusSource) -> None:
    target = replace(WORKLOAD, target=ScaleTarget(name="shop", namespace="ml"))
    ready = observe(source, target, at=NOW, lookback=6 * HOUR, step=FIVE).time_to_ready
    assert (ready.basis, ready.samples) == (ReadyBasis.MEASURED, 3)
    assert [part.total_seconds() for part in (ready.p50, ready.p90, ready.longest)] == [60.0, 240.0, 240.0]
    assert ready.detail == "3 starts measured, from a pod's creation to its first ready (kube-state-metrics)"


@pytest.mark.servers
def test_no_start_seen_is_no_data(source: PrometheusSource) -> None:
    with pytest.raises(NoData, match="saw no start of elsewhere"):
        source.starts(
            replace(WORKLOAD, id="elsewhere", labels={"service": "x", "model": "y"}), at=NOW, lookback=6 * HOUR
        )


def test_a_queue_is_what_waits_or_else_what_is_under_way() -> None:
    facts: dict[Signal, float | SourceError] = {Signal.REQUEST_RATE: 3.0, Signal.IN_FLIGHT: 5.0}
    under_way, queued = seen(facts).waiting, seen(facts | {Signal.QUEUE: 2.0}).waiting
    assert isinstance(under_way, LoadHistory)
    assert isinstance(queued, LoadHistory)
    assert (under_way.values[0], queued.values[0]) == (5.0, 2.0)


def test_tokens_are_known_where_any_are_generated() -> None:
    assert reason(seen({Signal.REQUEST_RATE: 3.0}).tokens) == "told: has no token_rate; none"
    tokens = seen({Signal.REQUEST_RATE: 3.0, Signal.TOKEN_RATE: 90.0}).tokens
    assert isinstance(tokens, TokenRates)
    assert isinstance(tokens.generated, LoadHistory)
    assert "has no prompt_token_rate" in reason(tokens.prompt)


def test_a_capacity_declared_in_tokens_is_handed_on_even_where_none_are_counted() -> None:
    tokens = seen({Signal.REQUEST_RATE: 3.0}, Declared(capacity_tps=900.0, prompt_token_weight=0.2)).tokens
    assert isinstance(tokens, TokenRates)
    assert (tokens.declared_capacity_tps, tokens.declared_weight) == (900.0, 0.2)
    assert "has no token_rate" in reason(tokens.generated)


def test_latencies_of_tokens_are_asked_for_where_they_are_promised() -> None:
    facts: dict[Signal, float | SourceError] = {Signal.REQUEST_RATE: 3.0, Signal.TIME_TO_FIRST_TOKEN: 0.2}
    assert reason(seen(facts).first_token) == "no bound of time_to_first_token is promised"
    promised = replace(WORKLOAD, slo=Slo(time_to_first_token=timedelta(seconds=1)))
    found = observe(Told(facts), promised, at=NOW, lookback=6 * HOUR, step=FIVE).first_token
    assert isinstance(found, LoadHistory)
    assert found.values[0] == 0.2
