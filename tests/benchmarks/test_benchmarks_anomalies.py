"""How pages are counted against labels, and that the baselines see what they are known to see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anomalies import Trace, at_rate, curve_of, left_out, outcome, pages, traces_of
from benchmarks.anomaly_methods import Scores, seasonal_esd, z_score
from benchmarks.anomaly_spend import explained, replicas_of, spend_outcome, told
from domain.load import LoadHistory

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "traces"


def trace(scores: list[float], anomalies: tuple[tuple[int, int], ...] = (), name: str = "made up") -> Trace:
    """Hours of load, with labelled windows by their first and last hour."""
    return Trace(
        name=name,
        history=LoadHistory(start=MONDAY, step=HOUR, values=np.ones(len(scores))),
        counted=True,
        anomalies=tuple((MONDAY + first * HOUR, MONDAY + last * HOUR) for first, last in anomalies),
        partial=((MONDAY + 30 * HOUR, MONDAY + 31 * HOUR),),
    )


def scored(scores: list[float]) -> Scores:
    values = np.array(scores)
    return Scores(score=values, own=values > 1)


def test_what_comes_within_six_hours_is_the_same_page() -> None:
    held = np.zeros(40, dtype=np.bool_)
    held[[3, 4, 10, 17, 30]] = True
    assert pages(held, HOUR) == [3, 17, 30]
    assert pages(np.zeros(5, dtype=np.bool_), HOUR) == []


def test_a_window_is_found_by_a_page_that_begins_in_it_and_all_other_pages_are_false() -> None:
    scores = [0.0] * 168
    for hour in (10, 12, 30, 60):
        scores[hour] = 2.0
    one = outcome(trace(scores, ((9, 11), (100, 110))), scored(scores), scored(scores).own)
    assert (one.windows, one.found, one.false, one.partial) == (2, 1, 2, 1)
    assert one.weeks == pytest.approx(1.0)


def test_a_threshold_is_the_best_at_its_rate_and_is_learned_without_the_trace_it_is_tried_on() -> None:
    """At a rate of no false page the first trace wants 2, the second 5: learned on the other, one pages falsely."""
    first, second = [0.0] * 336, [0.0] * 336
    first[50], first[100] = 4.0, 1.5
    second[50], second[100] = 6.0, 5.0
    traces = [(trace(each, ((50, 50),), name), {"m": scored(each)}) for name, each in (("a", first), ("b", second))]
    curve = curve_of(traces, "m")
    best, learned = at_rate(curve, 0.1), left_out(curve, 0.1)
    assert best is not None
    assert learned is not None
    assert (best.found, best.false) == (1, 0)
    assert (learned.found, learned.false) == (1, 1)


def daily(spike: float) -> LoadHistory:
    hours = np.arange(24 * 15)
    values = 20 + 10 * np.sin(2 * np.pi * hours / 24) + np.random.default_rng(2).normal(0, 0.5, len(hours))
    values[-30] += spike
    return LoadHistory(start=MONDAY, step=HOUR, values=values)


def test_the_baselines_find_what_they_are_made_for_and_keep_quiet_otherwise() -> None:
    for method, spike in ((z_score, 60.0), (seasonal_esd, 15.0)):
        assert method(daily(spike)).own[-30]
        assert method(daily(0.0)).own.sum() <= 1  # the test of S-H-ESD allows itself one window in twenty
    assert not z_score(daily(15.0)).own.any()  # within what the day's own wave allows it


def test_leaks_of_spend_are_found_and_replicas_that_follow_the_load_are_no_leak() -> None:
    load = daily(0.0)
    quiet = Scores(score=np.zeros(len(load)), own=np.zeros(len(load), dtype=np.bool_))
    found = spend_outcome(load, quiet, pages)
    assert found.false <= 1
    assert found.weeks == pytest.approx(9 / 7)  # of fifteen days the first six are compared with
    assert found.injected["doubled for 12 h"] == 9
    assert found.found["doubled for 12 h"] >= 8


def test_spend_is_not_told_of_while_the_load_itself_is_strange_nor_six_hours_after() -> None:
    load = daily(0.0)
    own = np.zeros(len(load), dtype=np.bool_)
    own[10] = True
    assert np.flatnonzero(explained(Scores(score=own.astype(np.float64), own=own), HOUR)).tolist() == list(
        range(10, 17)
    )
    everywhere = np.ones(len(load), dtype=np.bool_)
    silent = spend_outcome(load, Scores(score=everywhere.astype(np.float64), own=everywhere), pages)
    assert (silent.false, set(silent.found.values())) == (0, {0})


def test_spend_of_a_day_is_judged_by_nothing_that_comes_later() -> None:
    load = daily(0.0)
    replicas, day, none = replicas_of(load), MONDAY + 8 * 24 * HOUR, np.zeros(len(load), dtype=np.bool_)
    later = LoadHistory(start=load.start, step=HOUR, values=np.where(np.arange(len(load)) < 9 * 24, load.values, 900.0))
    altered = np.where(np.arange(len(load)) < 9 * 24, replicas, 99.0)
    assert np.array_equal(told(load, replicas, day, none), told(later, altered, day, none), equal_nan=True)


def test_the_bundled_traces_are_read_with_their_labels(capsys: pytest.CaptureFixture[str]) -> None:
    found = {each.name: each for each in traces_of(EXAMPLES)}
    assert len(found["elb_requests"].anomalies) == 2
    assert found["azfn_bd33"].history.step == timedelta(minutes=5)
    assert "skipped servegen_r1_all.csv.gz: 1 day" in capsys.readouterr().out
