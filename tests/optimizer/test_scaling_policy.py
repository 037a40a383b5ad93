"""The policy is causal, always answers in whole numbers, and never reads a gap as zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.load import Floats, LoadHistory
from optimizer.scaling import ScalingProblem, decide
from tests.optimizer.replay_traces import history_of, tenth_of_mean

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)


def history(values: Floats, step: timedelta = TEN_MINUTES) -> LoadHistory:
    return LoadHistory(start=MONDAY, step=step, values=values)


def daily(days: int) -> Floats:
    """A day's swing between 2 and 18 requests/s with seeded noise, every ten minutes."""
    at = np.arange(days * 144)
    noise = np.random.default_rng(7).normal(0, 0.5, len(at))
    return np.asarray(10 + 8 * np.sin(at / 144 * 2 * np.pi) + noise)


@pytest.mark.parametrize("name", ["servegen_large_c48", "servegen_small_c36"])
@pytest.mark.parametrize("share", [0.3, 0.62, 0.9])
def test_decisions_do_not_change_when_the_future_is_cut_off(name: str, share: float) -> None:
    whole = history_of(name)
    problem = ScalingProblem(capacity_rps=tenth_of_mean(whole), attainment=0.997)
    upto = int(share * len(whole))
    cut = LoadHistory(start=whole.start, step=whole.step, values=whole.values[:upto])
    assert np.array_equal(decide(whole, problem).desired[:upto], decide(cut, problem).desired)


@pytest.mark.parametrize("name", ["servegen_large_c48", "servegen_small_c36"])
@pytest.mark.parametrize("share", [0.3, 0.62, 0.9])
def test_decisions_do_not_change_when_the_future_is_altered(name: str, share: float) -> None:
    whole = history_of(name)
    problem = ScalingProblem(capacity_rps=tenth_of_mean(whole), attainment=0.997)
    upto = int(share * len(whole))
    altered = whole.values.copy()
    altered[upto:] *= np.random.default_rng(3).uniform(0, 6, len(altered) - upto)
    altered[upto::37] = 50 * altered.mean()
    changed = LoadHistory(start=whole.start, step=whole.step, values=altered)
    assert np.array_equal(decide(whole, problem).desired[:upto], decide(changed, problem).desired[:upto])


@pytest.mark.parametrize("startup_s", [20, 300, 86100])
def test_decisions_on_steps_finer_than_the_interval_do_not_change_when_the_future_does(startup_s: int) -> None:
    """Half a minute each; start-ups shorter than a step, usual, and of nearly the day that seasons look back."""
    values = np.random.default_rng(5).poisson(20 * (1.2 + np.sin(np.arange(4 * 2880) / 2880 * 2 * np.pi))) / 2.0
    problem = ScalingProblem(capacity_rps=1.0, startup=timedelta(seconds=startup_s), learning=timedelta(days=2))
    upto = 3 * 2880 + 601
    altered = np.concatenate([values[:upto], np.random.default_rng(6).uniform(0, 200, len(values) - upto)])
    as_it_was, otherwise = (decide(history(each, timedelta(seconds=30)), problem).desired for each in (values, altered))
    assert np.array_equal(as_it_was[:upto], otherwise[:upto])
    assert (as_it_was[upto:] != otherwise[upto:]).any()


@pytest.mark.parametrize("length", [1, 2, 5, 30, 200])
def test_a_short_history_gets_whole_numbers_within_bounds(length: int) -> None:
    problem = ScalingProblem(capacity_rps=1.0, min_replicas=2, max_replicas=15)
    desired = decide(history(daily(2)[:length]), problem).desired
    assert desired.dtype == np.int64
    assert len(desired) == length
    assert desired.min() >= 2
    assert desired.max() <= 15


def test_it_never_asks_for_less_than_the_present_load_needs() -> None:
    values = daily(9)
    desired = decide(history(values), ScalingProblem(capacity_rps=1.0)).desired
    assert (desired >= np.ceil(values) - 1e-9).all()


def plateaus() -> Floats:
    """Idle, then a sudden plateau: young predictors learn ratios to nothing, and may not blow up."""
    return np.concatenate([np.zeros(300), np.full(40, 90.0), np.zeros(200), np.full(40, 95.0)])


def test_it_never_asks_for_more_than_twice_the_highest_load_ever_seen() -> None:
    desired = decide(history(plateaus()), ScalingProblem(capacity_rps=1.0)).desired
    assert (desired <= np.maximum(1, 2 * np.ceil(np.maximum.accumulate(plateaus())))).all()
    assert desired.max() > 100


def test_what_the_highest_load_holds_back_is_told_with_the_number_before_and_after_it() -> None:
    explained = decide(history(plateaus()[:330]), ScalingProblem(capacity_rps=1.0)).explanation
    told = {reason.code: reason for reason in explained.reasons}
    assert told["highest_seen"].before == told["mixture"].after
    assert float(told["mixture"].after or 0) > 180.5
    assert told["highest_seen"].after == "180.0"
    assert told["present_load"].before == "180"
    assert explained.replicas == 180


def test_a_gap_holds_what_was_known_and_is_no_zero() -> None:
    values = daily(9)
    values[1100:1103] = np.nan
    desired = decide(history(values), ScalingProblem(capacity_rps=1.0)).desired
    assert desired[1100:1103].min() >= 0.8 * desired[1099]


def test_an_unknown_history_asks_for_the_least_allowed() -> None:
    desired = decide(history(np.full(50, np.nan)), ScalingProblem(capacity_rps=1.0, min_replicas=3)).desired
    assert desired.tolist() == [3] * 50


def test_idle_workloads_go_to_zero_where_that_is_allowed() -> None:
    quiet = np.zeros(14 * 144)
    assert decide(history(quiet), ScalingProblem(capacity_rps=1.0, min_replicas=0)).desired[-1] == 0
    assert decide(history(quiet), ScalingProblem(capacity_rps=1.0, min_replicas=1)).desired[-1] == 1


@pytest.mark.parametrize("step_s, apart", [(15, 4), (45, 2), (59, 2)])
def test_it_decides_no_oftener_than_the_interval(step_s: int, apart: int) -> None:
    """On a 15-second grid a new number comes at most every 60 seconds, at whole minutes; where 60 is no whole number of steps, later."""
    at = np.arange(6 * 3600 // step_s)
    values = np.random.default_rng(1).uniform(0, 9, len(at)) * (1 + 9 * at / len(at))
    desired = decide(history(values, timedelta(seconds=step_s)), ScalingProblem(capacity_rps=1.0)).desired
    changes = np.flatnonzero(np.diff(desired)) + 1
    assert len(changes) > 5
    assert (np.diff(changes) % apart == 0).all()


def test_the_explanation_ends_at_the_last_number() -> None:
    values = daily(9)
    decisions = decide(history(values), ScalingProblem(capacity_rps=1.0))
    assert decisions.explanation.replicas == decisions.desired[-1]
    assert decisions.explanation.opinions
    assert decisions.explanation.reasons
    assert sum(opinion.weight for opinion in decisions.explanation.opinions) == pytest.approx(1.0)


def price_of(days: int, **asked: float) -> tuple[str | None, str | None, str]:
    """The price of a miss in the explanation of the last number: before and after its bound, and its reason."""
    values = daily(days)
    if days > 10:
        values[9 * 144 : 9 * 144 + 12] = 400.0
    explained = decide(history(values), ScalingProblem(capacity_rps=1.0, **asked)).explanation  # type: ignore[arg-type]
    reason = next(reason for reason in explained.reasons if reason.code == "price")
    return reason.before, reason.after, reason.detail


def test_what_is_missed_at_a_price_is_not_told_before_it_is_known() -> None:
    assert "of coming requests are missed" not in price_of(2)[2]
    assert "until three days with load" in price_of(2)[2]
    assert "of coming requests are missed" in price_of(5)[2]


def test_a_bound_on_the_price_is_told_with_the_price_before_and_after_it() -> None:
    """A budget lost in one incident would ask for a price that it does not get."""
    before, after, detail = price_of(12)
    assert before is not None
    assert after is not None
    assert float(before) > float(after)
    assert "not won back at any price" in detail
    assert price_of(9)[0] is None


def test_a_price_below_the_least_there_is_is_not_told_as_given() -> None:
    _, after, detail = price_of(5, replica_hours_per_miss=1e-9)
    assert after == "1.2"
    assert "come to 3.6e-06" in detail
    assert "as given in dollars per missed request" in price_of(5, replica_hours_per_miss=0.01)[2]


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"capacity_rps": 0.0}, "capacity_rps"),
        ({"capacity_rps": 1.0, "attainment": 1.0}, "attainment"),
        ({"capacity_rps": 1.0, "min_replicas": -1}, "min_replicas"),
        ({"capacity_rps": 1.0, "min_replicas": 5, "max_replicas": 4}, "max_replicas"),
    ],
)
def test_a_problem_that_makes_no_sense_is_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ScalingProblem(**wrong)  # type: ignore[arg-type]  # wrong on purpose
