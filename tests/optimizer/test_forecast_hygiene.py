"""Outages do not train a model; a quiet workload's zeros do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from optimizer.hygiene import clean

START = datetime(2024, 1, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)


def busy(days: int = 14) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    day = 20 + 10 * np.sin(np.arange(days * 288) * 2 * np.pi / 288)
    return day + np.random.default_rng(1).random(days * 288)


def history(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> LoadHistory:
    return LoadHistory(start=START, step=STEP, values=values)


def test_an_outage_of_a_busy_workload_becomes_a_listed_gap() -> None:
    values = busy()
    values[2000:2012] = 0.0
    cleaned = clean(history(values))
    assert [(mask.kind, mask.start, mask.end) for mask in cleaned.masked] == [
        ("outage", START + 2000 * STEP, START + 2012 * STEP)
    ]
    assert np.isnan(cleaned.history.values[2000:2012]).all()
    assert np.isfinite(np.delete(cleaned.history.values, range(2000, 2012))).all()


def test_zeros_of_a_sparse_workload_are_load() -> None:
    values = np.zeros(14 * 288)
    values[np.random.default_rng(2).integers(0, len(values), 200)] = 0.1
    assert clean(history(values)).masked == ()


def test_nights_and_weekends_without_load_are_not_outages() -> None:
    hours = np.arange(21 * 288) / 12
    values = np.where((hours % 24 > 8) & (hours % 24 < 18) & (hours // 24 % 7 < 5), 50.0, 0.0)
    assert clean(history(values)).masked == ()


def test_a_new_quiet_regime_is_not_masked() -> None:
    values = busy()
    values[-2 * 288 :] = 0.0
    assert clean(history(values)).masked == ()


def test_a_negative_rate_is_a_counter_artefact() -> None:
    values = busy()
    values[100] = -3.0
    assert [mask.kind for mask in clean(history(values)).masked] == ["counter_reset"]


def test_too_few_days_to_know_what_is_usual_mask_nothing() -> None:
    values = busy(2)
    values[300:310] = 0.0
    assert clean(history(values)).masked == ()
