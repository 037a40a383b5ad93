"""How pages are counted against labels, and that the baselines see what they are known to see."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from benchmarks.anomalies import Trace, at_rate, curve_of, left_out, outcome, pages, too_many, traces_of
from benchmarks.anomaly_methods import Scores, seasonal_esd, z_score
from benchmarks.anomaly_spend import KINDS, SCALERS, by_hpa, scaler_table, spend_outcome, told
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


def test_what_comes_within_a_day_is_the_same_page() -> None:
    held = np.zeros(90, dtype=np.bool_)
    held[[3, 4, 28, 53, 80]] = True
    assert pages(held, HOUR) == [3, 53, 80]
    assert pages(np.zeros(5, dtype=np.bool_), HOUR) == []


def test_a_window_is_found_by_a_page_that_begins_in_it_and_all_other_pages_are_false() -> None:
    scores = [0.0] * 168
    for hour in (3, 5, 30, 60):
        scores[hour] = 2.0
    one = outcome(trace(scores, ((2, 4), (100, 110))), scored(scores), scored(scores).own)
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


def test_a_threshold_is_not_learned_on_traces_of_the_same_source() -> None:
    first, second = [0.0] * 336, [0.0] * 336
    first[50], first[100] = 4.0, 1.5
    second[50], second[100] = 6.0, 5.0
    traces = [
        (trace(each, ((50, 50),), name), {"m": scored(each)}) for name, each in (("web_a", first), ("web_b", second))
    ]
    assert left_out(curve_of(traces, "m"), 0.1) is None


def test_a_method_with_more_than_a_false_page_a_week_on_a_trace_is_told_with_its_name() -> None:
    calm, loud = ([0.0] * 168 for _ in range(2))
    loud[50] = loud[100] = calm[50] = 2.0
    by = {name: outcome(trace(each), scored(each), scored(each).own) for name, each in (("a", calm), ("b", loud))}
    told_of = too_many({name: dict.fromkeys(("trimtab", "z-score", "S-H-ESD"), one) for name, one in by.items()})
    assert told_of.splitlines()[2:] == [f"{method}: 1 of 2 traces (b)" for method in ("trimtab", "z-score", "S-H-ESD")]


@pytest.mark.parametrize("scaler", SCALERS)
def test_leaks_of_spend_are_found_and_replicas_that_are_scaled_are_no_leak(scaler: str) -> None:
    load = daily(0.0)
    found = spend_outcome(load, SCALERS[scaler](load), pages)
    assert found.false <= 1
    assert found.weeks >= 9 / 7  # of fifteen days the first five or six are compared with
    assert found.injected["doubled for 12 h"] >= 9
    assert found.found["doubled for 12 h"] >= 8
    assert found.found["one more every 6 h for 48 h"] >= 8
    row = scaler_table({scaler: {"made up": found}}).splitlines()[-1]
    assert row.startswith(f"| {scaler} | {found.false / found.weeks:.2f} | none | ")


def test_a_leak_that_creeps_is_paid_for_to_its_end() -> None:
    replicas = np.full(100, 4.0)
    leaking = KINDS["one more every 6 h for 48 h"].made(replicas, 10, 58)
    assert leaking[[9, 10, 15, 16, 57, 58]].tolist() == [4.0, 5.0, 5.0, 6.0, 12.0, 4.0]


def test_spend_of_a_day_is_judged_by_nothing_that_comes_later() -> None:
    load = daily(0.0)
    replicas, day = by_hpa(load), MONDAY + 8 * 24 * HOUR
    later = LoadHistory(start=load.start, step=HOUR, values=np.where(np.arange(len(load)) < 9 * 24, load.values, 900.0))
    altered = np.where(np.arange(len(load)) < 9 * 24, replicas, 99.0)
    assert np.array_equal(told(load, replicas, day), told(later, altered, day), equal_nan=True)


def test_the_bundled_traces_are_read_with_their_labels(capsys: pytest.CaptureFixture[str]) -> None:
    found = {each.name: each for each in traces_of(EXAMPLES)}
    assert len(found["elb_requests"].anomalies) == 2
    assert found["azfn_bd33"].history.step == timedelta(minutes=5)
    assert "skipped servegen_r1_all.csv.gz: 1 day" in capsys.readouterr().out
