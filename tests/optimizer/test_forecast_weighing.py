"""Weights are earned on the back-test, losers to the naive forecasts are dropped, and nothing runs away."""

from __future__ import annotations

import numpy as np

from optimizer.weighing import DROPPED, LATELY, WARNED, combine, losses, recent_losses, weights
from optimizer.weighted import middle_mean, weighted_mean, weighted_median

NAIVE = (0, 1)


def test_without_a_fold_all_weigh_the_same() -> None:
    assert np.allclose(weights(np.empty((4, 0, 4)), NAIVE), 0.25)


def test_the_better_candidate_weighs_more_in_each_part_of_the_day() -> None:
    loss = np.ones((3, 5, 4))
    loss[2, :, 0] = 0.5
    weight = weights(loss, NAIVE)
    assert np.allclose(weight.sum(axis=0), 1)
    assert weight[2, 0] > weight[2, 1] > 1 / 3


def test_what_is_lost_to_the_naive_ones_counts_twice_after_a_week_of_folds() -> None:
    shares = []
    for folds in (WARNED - 1, WARNED):
        loss = np.ones((3, folds, 4))
        loss[2] = 1.25
        shares.append(weights(loss, NAIVE)[2, 0] / weights(loss, NAIVE)[0, 0])
    assert np.allclose(shares, np.exp([-1.0, -2.0]))


def test_a_candidate_that_loses_to_the_naive_ones_is_dropped_after_two_weeks_of_folds() -> None:
    for folds, used in ((DROPPED - 1, True), (DROPPED, False)):
        loss = np.ones((3, folds, 4))
        loss[2] = 1.01
        assert (weights(loss, NAIVE)[2] > 0).all() == used


def test_recent_folds_count_more() -> None:
    loss = np.ones((2, 6, 1))
    loss[0, :3], loss[1, 3:] = 0.5, 0.5
    assert weights(loss, NAIVE)[0] > weights(loss, NAIVE)[1]


def test_folds_of_which_nothing_is_known_say_nothing() -> None:
    loss = np.ones((2, 3, 1))
    loss[1] = 2.0
    gappy = np.concatenate([loss, np.full((2, 2, 1), np.nan)], axis=1)
    assert np.allclose(weights(gappy, NAIVE), weights(loss, NAIVE))


def test_the_last_hours_count_as_a_part_of_a_day() -> None:
    loss = np.ones((3, 1, 1))
    recent = np.array([1.0, 1.0, 0.5])
    mixed = (loss[:, 0, 0] + LATELY * recent) / (1 + LATELY)
    weight = weights(loss, NAIVE, recent)[:, 0]
    assert np.allclose(np.log(weight[0] / weight[2]), -4.0 * (mixed[0] / mixed[2] - 1))
    assert np.allclose(weights(loss, NAIVE, np.array([1.0, np.nan, 0.5])), weights(loss, NAIVE))


def test_of_the_last_hours_only_the_known_ones_are_judged() -> None:
    told = np.array([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0], [np.nan, np.nan, np.nan]])
    assert recent_losses(told, np.array([0.0, 0.0, np.nan])).tolist() == [1.5, 5.0, 1.5]
    assert np.isnan(recent_losses(told, np.full(3, np.nan))).all()


def test_losses_are_taken_by_quarter_of_the_day_over_known_steps() -> None:
    actual = np.zeros((1, 8))
    actual[0, 1] = np.nan
    paths = np.arange(8.0).reshape(1, 1, 8)
    assert np.allclose(losses(paths, actual)[0, 0], [0.0, 2.5, 4.5, 6.5])


def test_a_candidate_that_had_nothing_to_say_is_charged_what_the_middle_one_lost() -> None:
    paths = np.array([1.0, 2.0, 4.0, np.nan])[:, None, None] * np.ones((1, 1, 4))
    assert losses(paths, np.zeros((1, 4)))[:, 0, 0].tolist() == [1.0, 2.0, 4.0, 2.0]


def test_the_combination_passes_over_those_that_have_nothing_to_say() -> None:
    paths = np.array([[[10.0, np.nan]], [[np.nan, np.nan]]])
    assert np.array_equal(combine(paths, np.full((2, 1), 0.5)), [[10.0, np.nan]], equal_nan=True)


def test_one_candidate_that_runs_away_does_not_move_the_combination() -> None:
    paths = np.array([[[10.0, 10.0]], [[11.0, 11.0]], [[1e9, 1e9]]])
    assert np.array_equal(combine(paths, np.full((3, 1), 1 / 3)), [[11.0, 11.0]])


def test_weighted_medians_and_means_leave_gaps_out() -> None:
    values = np.array([[1.0, np.nan], [2.0, np.nan], [np.nan, np.nan]])
    even = np.ones((3, 1))
    assert weighted_median(values, even)[0] == 1.0
    assert weighted_mean(values, even)[0] == 1.5
    assert np.isnan(weighted_median(values, even)[1])
    assert np.isnan(weighted_mean(values, even)[1])


def test_the_mean_of_the_middle_ignores_both_ends() -> None:
    assert middle_mean(np.array([[-1e9], [1.0], [2.0], [1e9]]), np.ones((4, 1)), 0.25, 0.75)[0] == 1.5
