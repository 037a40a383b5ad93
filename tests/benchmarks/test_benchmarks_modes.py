"""What judges the choice of a mode: requests served one by one, bills by the tariff's rules, and no look ahead."""

from __future__ import annotations

import gzip
from datetime import timedelta
from math import exp
from pathlib import Path

import numpy as np
import pytest

from benchmarks import modes, simulation
from benchmarks.mode_cases import QUESTIONS, Halves, busy_at
from benchmarks.mode_truth import invoice, way_of
from benchmarks.modes import Case, Choice, cases_of, kind_of, summary
from benchmarks.simulation import Called, Counts, Ready, Served, Stretch
from domain.load import Floats
from optimizer.modes.instances import Instance
from optimizer.modes.warm import Warm
from optimizer.placed import Service
from tests.optimizer.cases import daily, history, tariff


def stretch(*moments: float, steps: int = 10) -> tuple[Stretch, ...]:
    """Requests at these seconds of ten minutes."""
    return (Stretch(np.array(moments), np.arange(steps, dtype=np.int64), 0, 60.0),)


def always(count: int, steps: int = 10) -> Counts:
    return np.full(steps, count, dtype=np.int64)


def test_instances_start_wait_and_go() -> None:
    """The second finds the first starting; the third takes the one freed last, at 3.1 s; 399 s later all are gone."""
    done = simulation.serverless(stretch(0.0, 0.1, 100.0, 500.0), Service(1.0, 2.0, 300.0), 2.5, always(0))
    assert (done.requests, done.cold, done.late, done.by_warm) == (4, 3, 3, 0)
    assert done.idle_s == pytest.approx(300.0 + 96.9 + 300.0 + 97.0)  # the last until the stretch ends


def test_kept_instances_serve_first_and_are_paid_all_the_time() -> None:
    done = simulation.serverless(stretch(0.0, 0.1, 100.0, 500.0), Service(1.0, 2.0, 300.0), 4.0, always(1))
    assert (done.cold, done.late, done.by_warm, done.warm_s) == (1, 0, 3, 600.0)


def test_a_run_in_is_served_but_not_counted() -> None:
    part = Stretch(np.array([30.0, 70.0]), np.arange(2, dtype=np.int64), 1, 60.0)
    done = simulation.serverless((part,), Service(1.0, 0.0, 300.0), 9.0, always(1, 2))
    assert (done.requests, done.warm_s) == (1, 60.0)


def test_whoever_would_be_late_is_turned_away_and_delays_nobody() -> None:
    """One replica, one second each, two allowed: the second waits 0.9 s, the third would wait 1.8 s, the fourth is in time."""
    moments = stretch(0.0, 0.1, 0.2, 1.5)
    done = simulation.fleet(moments, service_s=1.0, latency_s=2.0, ready=Ready(always(1), always(1), 0.0))
    assert (done.requests, done.late) == (4, 1)


def test_a_request_waits_for_replicas_that_become_ready() -> None:
    """None before half of the first minute is over: 5 s before it a latency of 10 s is held, 20 s before it is not."""
    none_first = Ready(np.array([0, 1], dtype=np.int64), np.array([1, 1], dtype=np.int64), 0.5)
    for moment, late in ((25.0, 0), (10.0, 1)):
        done = simulation.fleet(stretch(moment, steps=2), service_s=1.0, latency_s=10.0, ready=none_first)
        assert done.late == late


def test_a_third_of_a_step_is_a_moment_that_time_gets_past() -> None:
    """Three hundred seconds of each nine hundred, which no float divides: the queue goes on to the end."""
    count = 50
    there = Ready(np.zeros(count, dtype=np.int64), np.ones(count, dtype=np.int64), 300.0 / 900.0)
    moments = np.arange(10.0, count * 900.0, 900.0, dtype=np.float64)
    part = Stretch(moments, np.arange(count, dtype=np.int64), 0, 900.0)
    assert simulation.fleet((part,), service_s=1.0, latency_s=400.0, ready=there).late == 0
    assert simulation.fleet((part,), service_s=1.0, latency_s=200.0, ready=there).late == count


def test_a_heavy_half_is_sampled_evenly_and_a_gap_cut_out() -> None:
    values = np.full(40_000, 1.0)
    values[20_000:30_000] = np.nan
    parts = simulation.stretches(history(values), begin=0, run_in_s=1800.0)
    assert len(parts) == simulation.STRETCHES
    assert sum(len(part.moments) for part in parts) == pytest.approx(simulation.MOST_REQUESTS, rel=0.25)
    assert all(np.isfinite(values[part.steps]).all() for part in parts)


def test_an_invoice_rounds_every_request_up() -> None:
    """10 requests, 3 cold and 2 on kept ones, 0.42 s by halves: 5 x 0.5, 3 x 2.5 with the start, 60 s idle, 600 s kept."""
    rounded = tariff(increment=timedelta(seconds=0.5), bills_idle=True, bills_cold_start=True)
    instance = Instance(
        memory_gib=2.0, vcpus=1.0, usd_per_second=1e-3, warm_usd_per_second=1e-4, serving_usd_per_second=1e-5
    )
    done = Served(requests=10, late=0, cold=3, by_warm=2, idle_s=60.0, warm_s=600.0)
    usd = invoice(done, rounded, instance, 0.42, 2.0)
    assert usd == pytest.approx((5 * 0.5 + 3 * 2.5 + 60) * 1e-3 + 10 * 1e-6 + 600 * 1e-4 + 2 * 0.5 * 1e-5)


def test_calls_are_invoiced_like_short_requests_and_the_starts_that_they_cause() -> None:
    """20 calls of 0.1 s by halves with their fee, 2 of which started an instance in 2 s; nothing else came."""
    rounded = tariff(increment=timedelta(seconds=0.5), bills_cold_start=True)
    instance = Instance(memory_gib=2.0, vcpus=1.0, usd_per_second=1e-3)
    usd = invoice(Served(requests=0, late=0, calls=20, started=2), rounded, instance, 0.42, 2.0)
    assert usd == pytest.approx((18 * 0.5 + 2 * 2.5) * 1e-3 + 20 * 1e-6)


def test_called_instances_are_served_among_the_requests() -> None:
    """Requests 400 s apart find nothing alive after 300 s, unless one is called every 150 s: the first call starts it."""
    requests, service = stretch(2.0, 402.0), Service(1.0, 0.5, 300.0)
    plain = simulation.serverless(requests, service, 1.2, always(0))
    called = simulation.serverless(requests, service, 1.2, always(0), Called(always(1), 150.0))
    assert (plain.cold, plain.late, plain.calls, plain.started) == (2, 2, 0, 0)
    assert (called.cold, called.late, called.calls, called.started) == (0, 0, 4, 1)


def test_capacity_is_where_95_percent_of_the_waits_of_an_md1_queue_are_in_time() -> None:
    """P(W <= 1 service) = (1 - a) e^a; longer waits allow more use."""
    assert (1 - busy_at(2)) * exp(busy_at(2)) == pytest.approx(0.95, abs=1e-6)
    assert busy_at(2) < busy_at(5) < busy_at(20) < 1


@pytest.mark.parametrize(
    "chosen,least,regret",
    [
        (Choice("shared|a", 100.0, 0.0, held=True), 80.0, 0.2),
        (Choice("shared|a", 80.0, 0.0, held=True), 80.0, 0.0),
        (Choice("shared|a", 80.0, 0.2, held=False), 80.0, 1.0),
        (Choice(None), 80.0, 1.0),
        (Choice(None), None, 0.0),
        (Choice("shared|a", 80.0, 0.2, held=False), None, 1.0),
    ],
)
def test_regret_is_what_was_paid_too_much_and_a_missed_slo_all_of_it(
    chosen: Choice, least: float | None, regret: float
) -> None:
    assert chosen.regret(least) == pytest.approx(regret)
    best = Choice(None) if least is None else Choice("serverless|x|plain", least, 0.0, held=True)
    figures = summary([Case("t", "m", 2, "aws", None, chosen, Choice(None), best, Choice(None), Choice(None))])
    assert figures["regret_mean"] == pytest.approx(regret)
    assert figures["infeasible"] == (chosen.held is False)
    figures = summary([Case("t", "m", 2, "aws", None, Choice(None), Choice(None), Choice(None), chosen, best)])
    assert figures["alone_regret_mean"] == pytest.approx(regret)
    assert figures["alone_infeasible"] == (chosen.held is False)
    assert figures["alone_held_off_wrongly"] == (chosen.way is None and least is not None)


def test_ways_are_told_by_mode_and_what_is_kept_warm() -> None:
    warm = [Warm(), Warm((1,) * 24), Warm((1,) * 24, 150.0)]
    ways = [*(way_of("fn", each) for each in warm), "shared|box", None]
    kinds = ["serverless", "serverless, kept warm", "serverless, kept by calls", "shared", "none"]
    assert [kind_of(way) for way in ways] == kinds
    assert len(set(ways)) == len(ways)


def test_calls_are_made_in_the_steps_that_have_them() -> None:
    """Two instances in the second of three steps of five minutes, which stand second and third of a stretch."""
    called = Called(np.array([0, 0, 2, 0]), 150.0)
    assert called.moments(np.array([1, 2, 3]), 300.0).tolist() == [300.0, 300.0, 450.0, 450.0]


def test_what_is_chosen_does_not_depend_on_the_second_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same first half, and after it as before or forty times as much: the same choice, judged differently."""
    load = daily(6)
    monkeypatch.setattr(modes, "QUESTIONS", QUESTIONS[4:5])
    found = []
    for name, factor in (("as_before", 1.0), ("much_more", 40.0)):
        values = np.where(np.arange(len(load)) < len(load) // 2, load.values, factor * load.values)
        found.append(cases_of(written(tmp_path / f"{name}.csv.gz", values), 0.5))
    one, other = found
    assert isinstance(one, list)
    assert isinstance(other, list)
    for before, after in zip(one, other, strict=True):
        assert (before.chosen.way, before.quoted_usd_per_month) == (after.chosen.way, after.quoted_usd_per_month)
        assert before.rule.way == after.rule.way
        assert before.chosen != after.chosen


def written(path: Path, rates_rps: Floats) -> Path:
    """A trace file of five-minute counts."""
    start = np.datetime64("2026-10-05T00:00:00")
    lines = [
        f"{start + np.timedelta64(300 * i, 's')}Z,{round(rate * 300)}" for i, rate in enumerate(rates_rps.tolist())
    ]
    with gzip.open(path, "wt", encoding="utf-8") as text:
        text.write("\n".join(["timestamp,requests", *lines]) + "\n")
    return path


def test_a_half_without_requests_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "silent.csv.gz", np.concatenate([np.ones(600), np.zeros(600)]))
    assert cases_of(path, 0.5) == "no requests are known in one of its halves"


def test_a_decision_sees_four_weeks_at_most() -> None:
    halves = Halves.of(history(np.ones(80 * 288)), 0.5)
    assert len(halves.seen) * halves.seen.step == timedelta(days=28)
    assert len(halves.whole) - halves.begin == 40 * 288
