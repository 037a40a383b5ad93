"""Days of made-up load at five minutes, for the tests of what is out of the ordinary."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from tests.optimizer.cases import FIVE_MINUTES, MONDAY

DAYS, A_DAY, AN_HOUR = 28, 288, 12
NOON = (DAYS - 1) * A_DAY + 12 * AN_HOUR  # the step that begins at noon of the last day
TODAY = MONDAY + timedelta(days=DAYS - 1)


def ordinary(days: int = DAYS, seed: int = 1) -> Floats:
    """Requests/s: a daily wave about 20, less at weekends, with noise."""
    at = np.arange(days * A_DAY)
    wave = 20 + 10 * np.sin(2 * np.pi * at / A_DAY) - 5 * ((at // A_DAY) % 7 >= 5)
    return np.asarray(wave * np.exp(np.random.default_rng(seed).normal(0, 0.05, len(at))))


def history(values: Floats, until: int | None = None) -> LoadHistory:
    return LoadHistory(start=MONDAY, step=FIVE_MINUTES, values=values[:until])
