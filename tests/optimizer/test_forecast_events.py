"""Outages, level shifts, rest days, holidays, and the scoreboard that says what was used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from domain.load import Floats, LoadHistory
from domain.unknown import Unknown
from optimizer.forecast import Forecasting, forecast
from optimizer.forecasters import CANDIDATES
from optimizer.hygiene import Mask
from optimizer.restdays import is_rest

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2024, 4, 1, tzinfo=UTC)


def load(days: int, step: timedelta = timedelta(minutes=10)) -> Floats:
    steps = int(days * DAY / step)
    hours = np.arange(steps) * (step / HOUR)
    shape = 20 + 12 * np.sin((hours - 9) * 2 * np.pi / 24)
    return np.asarray(shape * np.random.default_rng(6).gamma(50, 1 / 50, steps))


def made(values: Floats, step: timedelta = timedelta(minutes=10), country: str | None = None) -> Forecasting:
    answer = forecast(LoadHistory(start=MONDAY, step=step, values=values), steps=144, country=country)
    assert not isinstance(answer, Unknown)
    return answer


def test_an_outage_that_is_going_on_neither_trains_nor_lowers_the_forecast() -> None:
    values = load(15)
    values[-18:] = 0.0
    answer = made(values)
    assert [mask.kind for mask in answer.masked] == ["outage"]
    assert answer.forecast.at(0.5).mean() == pytest.approx(20, rel=0.1)


def test_a_load_test_that_is_named_does_not_train() -> None:
    values = load(15)
    values[-100:-40] *= 30
    test = Mask(
        start=MONDAY + (2160 - 100) * HOUR / 6, end=MONDAY + (2160 - 40) * HOUR / 6, kind="load_test", detail=""
    )
    history = LoadHistory(start=MONDAY, step=timedelta(minutes=10), values=values)
    told, untold = forecast(history, steps=144, named=[test]), forecast(history, steps=144)
    assert not isinstance(told, Unknown)
    assert not isinstance(untold, Unknown)
    assert told.masked == (test,)
    assert told.forecast.at(0.95).max() < 60 < untold.forecast.at(0.99).max()


def test_two_days_after_a_shift_the_forecast_is_at_the_new_level() -> None:
    values = load(21)
    values[-3 * 144 :] *= 3
    assert made(values).forecast.at(0.5).mean() > 50


@pytest.mark.parametrize("hours", [9, 14, 20])
def test_hours_after_a_shift_the_forecast_is_near_the_new_level(hours: int) -> None:
    values = np.asarray(6 * np.random.default_rng(3).gamma(400, 1 / 400, 12 * 144))
    values[-hours * 6 :] *= 2.5
    assert made(values).forecast.at(0.5).mean() > 10


def test_working_days_and_rest_days_are_told_apart_within_two_weeks() -> None:
    values = load(12)  # Monday to the second Friday
    day = np.arange(len(values)) // 144
    values[(day % 7) >= 5] *= 0.2
    assert made(values).forecast.at(0.5).mean() < 12  # Saturday comes


def test_a_public_holiday_counts_as_a_rest_day_where_the_country_is_named() -> None:
    values = load(44, HOUR)  # up to Tuesday 14 May 2024; 15 May is Wednesday
    day = np.arange(len(values)) // 24
    rest = is_rest(MONDAY, HOUR, np.arange(len(values)), "DE")
    values[rest] *= 0.2
    free = LoadHistory(start=MONDAY, step=HOUR, values=values).until(datetime(2024, 5, 9, tzinfo=UTC))  # Ascension
    assert rest[(day == 38)].all()
    named, plain = forecast(free, steps=24, country="DE"), forecast(free, steps=24)
    assert not isinstance(named, Unknown)
    assert not isinstance(plain, Unknown)
    assert named.forecast.mean.mean() < 0.8 * plain.forecast.mean.mean()


def test_an_unknown_country_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'Atlantis'"):
        made(load(3), country="Atlantis")


def test_weekends_are_saturday_and_sunday_in_utc() -> None:
    days = is_rest(MONDAY, DAY, np.arange(-7, 7), None)
    assert days.tolist() == [False] * 5 + [True] * 2 + [False] * 5 + [True] * 2


def test_the_scoreboard_names_every_candidate_and_the_winner_stands_with_its_score() -> None:
    answer = made(load(20))
    assert {row.model for row in answer.scoreboard} == {*CANDIDATES, "combined"}
    assert answer.forecast.score is not None
    assert answer.forecast.score.model == answer.forecast.model == "combined"
    assert answer.forecast.score.mae < answer.forecast.score.naive_mae
    assert list(answer.scoreboard) == sorted(answer.scoreboard, key=lambda row: (row.pinball, row.mae))


def test_a_candidate_that_loses_to_the_naive_ones_has_no_weight_and_the_scoreboard_shows_why() -> None:
    answer = made(load(20))
    weight = dict(answer.weights)
    scores = {row.model: row for row in answer.scoreboard}
    assert weight["overall_median"] == 0
    assert scores["overall_median"].mae > scores["overall_median"].naive_mae
    assert sum(weight.values()) == pytest.approx(1)


def test_one_model_can_be_asked_for_by_name() -> None:
    answer = forecast(LoadHistory(start=MONDAY, step=HOUR, values=load(9, HOUR)), steps=24, model="yesterday")
    assert not isinstance(answer, Unknown)
    assert answer.forecast.model == "yesterday"
    assert np.array_equal(answer.forecast.at(0.5), load(9, HOUR)[-24:])
