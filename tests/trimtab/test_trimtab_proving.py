"""Rules replayed on a real Prometheus: what they say they would have done is what happened."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from domain.errors import BadAnswer, SourceUnavailable
from domain.moments import Moments
from domain.unknown import Unknown
from domain.workload import Slo, Workload
from monitor.profiles import PROFILES
from monitor.prometheus import PrometheusSource
from rules import Proof, Proofs, Question, Reading, RuleOptions, answered, questions, render
from tests.openmetrics import samples
from tests.servers import Prometheus, backfill, backfill_rules, free_port
from trimtab.files import write_artifacts
from trimtab.proving import Ask, Prover
from trimtab.store.database import open_database
from trimtab.store.proofs import ProofStore

END = datetime(2026, 3, 4, tzinfo=UTC)
DAYS = 3
START = END - timedelta(days=DAYS)
MINUTE = timedelta(minutes=1)
LABELS = {"service": "vision", "model": "digits"}
DIGITS = Workload(id="vision:digits", runtime="trimtab-serving", labels=LABELS, slo=Slo(attainment=0.99))
OPTIONS = RuleOptions(interval=MINUTE)
FAILING = (START + timedelta(hours=20), timedelta(minutes=25))  # half of all requests
SLOW = (START + timedelta(hours=40), timedelta(minutes=90))  # all of them
GONE = (START + timedelta(hours=55), timedelta(hours=2))  # nothing of the workload is scraped


def history() -> str:
    """Three days of a replica that is asked ten times a second, with three incidents."""
    minutes = np.arange(DAYS * 1440 + 1)
    times = START.timestamp() + 60.0 * minutes
    failing, slow, gone = (within(times, *each) for each in (FAILING, SLOW, GONE))
    where = {**LABELS, "endpoint": "/predict", "job": "serving", "instance": "a"}

    def counter(name: str, a_minute: np.ndarray, **more: str) -> str:
        return samples(name, {**where, **more}, times[~gone], np.cumsum(a_minute)[~gone])

    ready = samples("ai_ready", {**LABELS, "job": "serving", "instance": "a"}, times[~gone], np.ones(sum(~gone)))
    up = samples("up", {"job": "serving", "instance": "a"}, times, (~gone).astype(float))
    return "".join(
        [
            "# TYPE ai_requests counter\n",
            counter("ai_requests_total", np.where(failing, 300, 600), status="200"),
            counter("ai_requests_total", np.where(failing, 300, 0), status="500"),
            "# TYPE ai_request_duration_seconds histogram\n",
            counter("ai_request_duration_seconds_bucket", np.where(slow, 0, 600), le="0.5"),
            counter("ai_request_duration_seconds_bucket", np.full(len(times), 600), le="2.0"),
            counter("ai_request_duration_seconds_bucket", np.full(len(times), 600), le="+Inf"),
            "# TYPE ai_ready gauge\n",
            ready,
            "# TYPE up gauge\n",
            up,
            "# EOF\n",
        ]
    )


def within(times: np.ndarray, start: datetime, length: timedelta) -> np.ndarray:
    inside: np.ndarray = (times >= start.timestamp()) & (times < (start + length).timestamp())
    return inside


@dataclass(frozen=True)
class Asked:
    """A prover over a real Prometheus, or over something else that answers."""

    folder: Path
    ask: Ask | Unknown

    def prove(self, *, now: datetime = END, options: RuleOptions = OPTIONS) -> Proofs:
        return self.prover(options).catch_up(now=now)

    def prover(self, options: RuleOptions = OPTIONS) -> Prover:
        def asked(_: datetime) -> Sequence[Question]:
            return questions([(DIGITS, PROFILES[DIGITS.runtime])], (), options)

        store = ProofStore(open_database(f"sqlite:///{self.folder / 'proofs.db'}"))
        return Prover(ask=self.ask, questions=asked, store=store, window=timedelta(days=DAYS))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory, prometheus_installed: None) -> Path:
    """Blocks of the history's raw metrics."""
    return backfill(history(), tmp_path_factory.mktemp("past") / "data")


@pytest.fixture(scope="module")
def metrics_alone(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proofs]:
    """The proofs where no rule of ours was ever loaded."""
    folder = tmp_path_factory.mktemp("metrics")
    with Prometheus(folder, data=past) as server:
        yield Asked(folder, PrometheusSource(server.url).moments).prove()


def proof(proofs: Proofs, alert: str, workload: str = DIGITS.id) -> Proof:
    found = proofs[workload, alert]
    assert isinstance(found, Proof), found
    return found


@pytest.mark.servers
@pytest.mark.parametrize(
    "alert,incident,earliest,latest",
    [
        # from the incident's beginning to the fire, and at the longest from its end to the alert's
        ("TrimtabErrorRatioHigh", FAILING, 2, 10),
        ("TrimtabErrorBudgetBurnFast", FAILING, 2, 10),  # its short window is clean five minutes after
        ("TrimtabLatencyHigh", SLOW, 5, 10),
        ("TrimtabLatencyBudgetBurnFast", SLOW, 25, 40),  # 72 % of an hour, or 30 % of six
        ("TrimtabTelemetryMissing", GONE, 10, 2),
    ],
)
def test_an_alert_would_have_fired_once_when_what_it_is_about_happened(
    metrics_alone: Proofs, alert: str, incident: tuple[datetime, timedelta], earliest: int, latest: int
) -> None:
    found = proof(metrics_alone, alert)
    begin, length = incident
    (episode,) = found.episodes
    assert begin + earliest * MINUTE <= episode.start < begin + length + MINUTE
    assert begin + length - MINUTE <= episode.end <= begin + length + (latest + 6) * MINUTE
    assert found.reading is Reading.METRICS
    assert (found.start, found.end) == (START, END)


@pytest.mark.servers
def test_what_was_not_there_is_not_called_quiet(metrics_alone: Proofs) -> None:
    """Two of 72 hours without a sample are unknown to all alerts but the one that is about it; so are our own metrics."""
    assert proof(metrics_alone, "TrimtabErrorRatioHigh").known == pytest.approx(1 - 2 / 72, abs=0.01)
    assert proof(metrics_alone, "TrimtabTelemetryMissing").known > 0.99
    for workload, alert in ((DIGITS.id, "TrimtabForecastOverCapacity"), ("", "TrimtabInputStale"), ("", "TrimtabDown")):
        found = metrics_alone[workload, alert]
        assert isinstance(found, Unknown)
        assert "nothing of what it asks for was there in the 3 days to 2026-03-04" in found.reason


@pytest.mark.servers
def test_what_is_left_out_as_impossible_would_not_have_fired(past: Path, metrics_alone: Proofs, tmp_path: Path) -> None:
    """With and without the cheap question first, of every alert that has one, the episodes are the same.

    The slow requests took 0.92 s at p28 and 1.93 s at p95: an objective of 1.95 s was never missed.
    """
    calm = replace(DIGITS, slo=Slo(attainment=0.99, latency=timedelta(seconds=1.95)))
    with Prometheus(tmp_path / "server", data=past) as server:
        ask = PrometheusSource(server.url).moments
        for question in questions([(DIGITS, PROFILES[DIGITS.runtime])], (), OPTIONS):
            way = question.ways[-1]
            if way.possible is not None:
                held = ask(way.expr, start=START, end=END, step=question.step)
                known = ask(way.known, start=START, end=END, step=5 * MINUTE)
                asked_in_full = answered(question, way, held, known, END)
                assert asked_in_full.episodes == proof(metrics_alone, question.alert.name).episodes
        for question in questions([(calm, PROFILES[calm.runtime])], (), OPTIONS):
            if question.alert.name.startswith("TrimtabLatencyBudgetBurn"):
                way = question.ways[-1]
                assert way.possible is not None
                assert not ask(way.possible, start=START, end=END, step=MINUTE)
                assert not ask(way.expr, start=START, end=END, step=question.step)


@pytest.mark.servers
def test_recorded_series_prove_the_same_as_the_metrics_they_were_made_of(
    past: Path, metrics_alone: Proofs, tmp_path: Path
) -> None:
    """The five-minute series as recorded, windows computed from them: the same episodes, to within three minutes."""
    write_artifacts(tmp_path / "rules", render([(DIGITS, PROFILES[DIGITS.runtime])], (), OPTIONS))
    with Prometheus(tmp_path / "server", data=past) as server:
        recorded = tmp_path / "rules" / "recorded-trimtab-serving.rules.yml"
        backfill_rules(server, recorded, start=START, end=END - MINUTE)
        server.stop()
        server.start()
        found = Asked(tmp_path, PrometheusSource(server.url).moments).prove()
    for alert, reading in (
        ("TrimtabErrorRatioHigh", Reading.RECORDED),
        ("TrimtabErrorBudgetBurnFast", Reading.HISTORY),
        ("TrimtabErrorBudgetBurnSlow", Reading.HISTORY),
        ("TrimtabLatencyHigh", Reading.RECORDED),
        ("TrimtabLatencyBudgetBurnFast", Reading.HISTORY),
    ):
        ours, theirs = proof(found, alert), proof(metrics_alone, alert)
        assert ours.reading is reading, alert
        assert len(ours.episodes) == len(theirs.episodes), alert
        for one, other in zip(ours.episodes, theirs.episodes, strict=True):
            assert abs(one.start - other.start) <= 3 * MINUTE
            assert abs(one.end - other.end) <= 3 * MINUTE


@pytest.mark.servers
def test_a_proof_stands_for_a_day_unless_its_rule_changes(past: Path, tmp_path: Path) -> None:
    asked: list[str] = []
    with Prometheus(tmp_path / "server", data=past) as server:
        source = PrometheusSource(server.url)

        def counting(expression: str, /, *, start: datetime, end: datetime, step: timedelta) -> Sequence[Moments]:
            asked.append(expression)
            return source.moments(expression, start=start, end=end, step=step)

        world = Asked(tmp_path, counting)
        first = world.prove()
        assert asked
        known = len(asked)
        own = sum(isinstance(each, Proof) for each in first.values())
        world.prove(now=END + timedelta(hours=1))
        assert not [each for each in asked[known:] if "ai_requests" in each]  # only what is unknown is tried again
        asked.clear()
        changed = world.prove(options=replace(OPTIONS, error_ratio=0.6))
        assert any("> 0.6" in each for each in asked)
        assert not any("_bucket" in each for each in asked)  # latency is as it was
        assert proof(changed, "TrimtabErrorRatioHigh").episodes == ()
        assert own == 7  # latency and errors, each now and at two paces, and telemetry


def test_a_source_that_is_away_is_told_once_and_asked_no_further(tmp_path: Path) -> None:
    calls: list[str] = []

    def away(expression: str, /, **_: object) -> Sequence[Moments]:
        calls.append(expression)
        raise SourceUnavailable("Prometheus", "can not be reached", "see that it runs")

    found = Asked(tmp_path, away).prove()
    assert {type(each) for each in found.values()} == {Unknown}
    assert len(calls) <= 4  # one a thread


def test_one_that_refuses_an_expression_leaves_the_others_known(tmp_path: Path) -> None:
    def refusing(expression: str, /, *, start: datetime, end: datetime, step: timedelta) -> Sequence[Moments]:
        if "absent" in expression:
            raise BadAnswer("Prometheus", "answered 422 (too many samples)", "ask for less")
        held = np.zeros((end - start) // step + 1, dtype=np.bool_) | (">" not in expression)
        return [Moments(labels={}, start=start, step=step, holds=held)]

    found = Asked(tmp_path, refusing).prove()
    missing = found[DIGITS.id, "TrimtabTelemetryMissing"]
    assert isinstance(missing, Unknown)
    assert "too many samples" in missing.reason
    assert proof(found, "TrimtabErrorRatioHigh").known == 1.0


def test_where_nothing_can_be_asked_every_rule_says_why(tmp_path: Path) -> None:
    found = Asked(tmp_path, Unknown("a recorded file has load alone")).prove()
    assert set(found.values()) == {Unknown("a recorded file has load alone")}
    texts = render([(DIGITS, PROFILES[DIGITS.runtime])], (), OPTIONS, found)
    rules = next(each.text for each in texts if each.path.name.startswith("workload-"))
    assert rules.count("proof: 'not known: a recorded file has load alone'") == rules.count("- alert:")


def test_nothing_listens(tmp_path: Path) -> None:
    source = PrometheusSource(f"http://127.0.0.1:{free_port()}")
    (reason,) = {each.reason for each in Asked(tmp_path, source.moments).prove().values() if isinstance(each, Unknown)}
    assert "can not be reached" in reason
