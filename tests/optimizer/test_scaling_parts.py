"""Each mechanism of the scaling policy keeps its own promise."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from optimizer.physics import StartUp
from optimizer.scaling import ScalingProblem
from optimizer.scaling.experts import assemble, whole_replicas
from optimizer.scaling.features import Clock, carried, centred_max, recurring, recurring_peak, seasons, trailing_max
from optimizer.scaling.mean import Forgetting, expected, forgetting_ridge, spread
from optimizer.scaling.newsvendor import Sampling, newsvendor
from optimizer.scaling.pacing import DEARER, fixed_so_far, pace_of, paced
from optimizer.scaling.policy import prices_for
from optimizer.scaling.shadow import Mixing, missed_by, mixtures
from optimizer.scaling.tails import Fading, conformal

HOURLY = Clock(step_s=3600.0, lead=1)
SEED = 11


def random() -> np.random.Generator:
    return np.random.default_rng(SEED)


def test_trailing_and_centred_maxima_agree_with_the_plain_definition() -> None:
    values = random().normal(size=200)
    values[[5, 6, 50]] = np.nan
    trailing = [np.nanmax(values[max(0, t - 6) : t + 1]) for t in range(200)]
    centred = [np.nanmax(values[max(0, t - 2) : t + 3]) for t in range(200)]
    assert trailing_max(values, 7).tolist() == trailing
    assert centred_max(values, 2).tolist() == centred


def test_a_recurring_value_is_read_at_the_phase_to_come() -> None:
    """With a period of 24 and a lead of 3, row t speaks about step t + 3, from steps no later than t."""
    phase = np.asarray(np.arange(240) % 24, dtype=np.float64)
    ahead = recurring(phase, 24, 5, 3)
    peak = recurring_peak(phase, 24, 5, 3)
    assert np.array_equal(ahead[48:], (phase[48:] + 3) % 24)
    assert np.array_equal(peak[48:], ahead[48:])
    assert np.isnan(ahead[:20]).all()


def test_gaps_are_carried_and_what_comes_before_any_load_is_zero() -> None:
    assert carried(np.array([np.nan, 2.0, np.nan, 3.0])).tolist() == [0.0, 2.0, 2.0, 3.0]


def test_the_regression_learns_a_plain_relation_and_forgets_an_old_one() -> None:
    rows = random().normal(size=(4000, 2))
    targets = np.full(4000, np.nan)
    targets[1:2000] = rows[:1999] @ np.array([1.0, -2.0])
    targets[2000:] = rows[1999:-1] @ np.array([3.0, 0.5])
    how = Forgetting(lead=1, keep=0.99, every=50, ridge=0.001)
    learned = forgetting_ridge(rows, targets, np.ones(4000), np.zeros(2), how)
    assert learned[1500:1999] == pytest.approx(rows[1500:1999] @ np.array([1.0, -2.0]), abs=0.1)
    assert learned[3500:] == pytest.approx(rows[3500:] @ np.array([3.0, 0.5]), abs=0.1)


def test_the_mean_follows_a_daily_season_and_the_spread_its_noise() -> None:
    at = np.arange(21 * 24)
    load = 10 + 6 * np.sin(at / 24 * 2 * np.pi) + random().normal(0, 0.5, len(at))
    past = seasons(load, HOURLY)
    mean = expected(load, HOURLY, past)
    error = load[8 * 24 + 1 :] - mean[8 * 24 : -1]
    assert np.abs(error).mean() < 0.75
    assert 0.2 < np.median(spread(load, mean, HOURLY)[8 * 24 :]) < 1.5


def test_a_conformal_tail_is_exceeded_as_often_as_it_says() -> None:
    load = random().gamma(4.0, 1.0, 30_000)
    level = np.full(len(load), 4.0)
    tails = np.array([0.2, 0.05, 0.01])
    target, excess = conformal(load, 0 * level, level, tails, Fading(lead=1, keep=0.9999, every=10))
    exceeded = (load[10_001:] > target[:, 10_000:-1]).mean(axis=1)
    assert exceeded == pytest.approx(tails, rel=0.15)
    assert excess[:, -1] == pytest.approx([(load[load > cut] - cut).mean() for cut in target[:, -1]], rel=0.3)


def test_the_newsvendor_learns_where_spikes_come_from_a_feature_that_knows() -> None:
    """At a price of 50 a spike of 20 in every tenth step is covered, and steps without one cost little."""
    spike = np.where(np.arange(20_000) % 10 == 0, 20.0, 0.0)
    load = 1.0 + spike
    known = np.roll(spike, -1)  # row t knows step t + 1
    rows = np.column_stack([np.ones(len(load)), np.ones(len(load)), np.zeros(len(load)), known])
    targets = newsvendor(load, rows, np.array([50.0]), Sampling(lead=1, window=5000, draws=6))[0]
    assert (targets[15_000:-1] >= 0.9 * load[15_001:]).all()
    assert targets[15_000:-1].mean() < 1.5 * load[15_001:].mean()


@pytest.mark.parametrize("excess, target, whole", [(0.001, 3.01, 4), (0.001, 3.0, 3), (50.0, 3.45, 3), (50.0, 3.55, 4)])
def test_a_narrow_tail_rounds_up_and_a_wide_one_to_the_nearest(excess: float, target: float, whole: int) -> None:
    assert whole_replicas(np.array([target]), np.array([excess]))[0] == whole


def test_every_expert_holds_for_the_time_a_replica_takes_to_be_ready() -> None:
    """Nobody lets go of what it asked for within the lead: a spike's replicas do become ready."""
    load = np.ones(14 * 24)
    load[200] = 9.0
    lead = StartUp.of(timedelta(hours=2), timedelta(hours=1))
    experts = assemble(load, Clock(step_s=3600.0, lead=lead.lead), lead, 1)
    now = experts.wanted[:, experts.names.index(("now", 0.3))]
    assert now[200] > 1
    assert (now[200 : 200 + lead.lead] >= now[200]).all()
    assert (experts.wanted >= 1).all()


def test_a_mixture_leans_to_what_is_cheap_at_its_price() -> None:
    """Two experts, one lean that misses and one ample that does not: a low price takes the lean one, a high one the ample."""
    wanted = np.tile(np.array([2, 10], dtype=np.int32), (500, 1))
    missed = np.tile(np.array([1.0, 0.0]), (500, 1))
    weights = np.full((2, 2), 0.5)
    mixed = mixtures(wanted, missed, np.array([2.0, 100.0]), weights, Mixing(keep=0.999, begin=1, every=10))
    assert mixed[-1].tolist() == [2, 10]
    assert weights.sum(axis=1) == pytest.approx([1.0, 1.0])


def test_pacing_takes_the_cheapest_that_keeps_the_budget_and_never_less_than_the_present_need() -> None:
    load = np.full(20 * 24, 5.0)
    load[::20] = 9.0
    startup = StartUp.of(timedelta(hours=1), timedelta(hours=1))
    mixed = np.tile(np.array([4, 6, 9, 40], dtype=np.int64), (len(load), 1))
    problem = ScalingProblem(capacity_rps=1.0, attainment=0.99, learning=timedelta(days=2))
    pace = pace_of(problem, Clock(step_s=3600.0, lead=startup.lead), startup, load, np.geomspace(5.0, 500.0, 4))
    own, _, _, _ = paced(
        load[:, None], mixed, missed_by(load[:, None], mixed, startup), fixed_so_far(load[:, None], pace), pace
    )
    assert 7 <= np.median(own[5 * 24 :]) <= 9
    assert (own >= load).all()


def test_a_budget_lost_in_one_incident_is_not_won_back_at_any_price() -> None:
    """After the incident the price may be DEARER times what an unspent budget asks, and no more."""
    load = 10.0 + random().normal(size=20 * 24)
    calm = load.copy()
    load[10 * 24 : 10 * 24 + 6] = 400.0
    startup = StartUp.of(timedelta(hours=1), timedelta(hours=1))
    mixed = np.tile(np.arange(11, 31, dtype=np.int64), (len(load), 1))
    problem = ScalingProblem(capacity_rps=1.0, attainment=0.99, learning=timedelta(days=7))
    prices = prices_for(problem)
    pace = pace_of(problem, HOURLY, startup, load, prices)
    missed = missed_by(calm[:, None], mixed, startup)
    fixed = np.full(len(load), 1000.0)
    spent, kept = (paced(values[:, None], mixed, missed, fixed, pace)[1] for values in (load, calm))
    after = slice(11 * 24, None)
    assert (spent[after] > kept[after]).mean() > 0.9
    assert (np.exp((spent - kept)[after] * pace.between) <= DEARER * 1.05).all()


def test_the_fixed_number_so_far_meets_the_budget_on_what_was_seen() -> None:
    load = random().gamma(2.0, 3.0, 800)
    problem = ScalingProblem(capacity_rps=1.0, attainment=0.99, learning=timedelta(days=100))
    startup = StartUp.of(timedelta(0), timedelta(hours=1))
    pace = pace_of(problem, HOURLY, startup, load, prices_for(problem))._replace(day=0.0)
    number = fixed_so_far(load[:, None], pace)[-1]
    over = [np.maximum(0.0, load - n).sum() / load.sum() for n in (number, number - 1)]
    assert over[0] <= 0.01 < over[1]


def test_prices_run_from_hardly_anything_to_twenty_budget_prices() -> None:
    prices = prices_for(ScalingProblem(capacity_rps=1.0, attainment=0.999))
    assert prices[0] == pytest.approx(1.2)
    assert prices[-1] == pytest.approx(20_000.0)
    assert (np.diff(prices) > 0).all()
