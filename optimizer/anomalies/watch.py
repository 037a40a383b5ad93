"""How far out of the ordinary the load of each step of a day is, against what its workload's own days before allow.

All that a day is compared with is known before it begins: its path and band, and the bound of each sign. Each of the
days that make the bounds is judged by what was expected at its own beginning.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from domain.load import LoadHistory
from domain.unknown import Unknown
from optimizer.anomalies.deviation import ABOVE, BELOW, LEAST_BAND, Deviation, Sign, above, below, fallen, jump
from optimizer.anomalies.expected import HOURS, expected
from optimizer.anomalies.judging import Watched, judged, usual
from optimizer.grid import DAY, HOUR

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FINEST = timedelta(minutes=5)  # of finer histories means over five minutes are looked at
LOOKBACK = timedelta(days=28)


def seen_in_steps(history: LoadHistory) -> LoadHistory | Unknown:
    """The history in the steps that are looked at; Unknown for steps that no hour consists of."""
    step = max(history.step, FINEST)
    if HOUR % step or step % history.step:
        return Unknown(f"steps of {history.step} do not divide {FINEST} or an hour")
    return history.coarser(step) if step > history.step else history


def midnight(moment: datetime) -> datetime:
    """The beginning of its day, UTC."""
    return moment - (moment - EPOCH) % DAY


def watch(history: LoadHistory, day: datetime) -> Watched | Unknown:
    """The steps of the day from `day` on that `history` has; each is judged by itself and what came before it.

    `history` is in steps of five minutes to an hour (see `seen_in_steps`). Unknown for want of hours to compare with.
    """
    past = history.until(day).since(day - LOOKBACK)
    if not np.isfinite(past.values).any():
        return Unknown("nothing is known of the days before")
    rows = expected(past)
    per_hour, first = HOUR // history.step, (past.end - history.start) // history.step
    known = first - rows.past_days * HOURS * per_hour
    came = history.values[known : first + HOURS * per_hour]
    low, path, high = (row[: len(came)] for row in rows.within_hours(per_hour))
    scale = float(np.nanmean(np.abs(past.values)))
    deviation = Deviation(
        step=history.step, came=came, low=low, path=path, high=high, least_band=max(LEAST_BAND * scale, 1e-12)
    )
    return judged(deviation, _signs(deviation, first - known), past.end, first - known)


def _signs(deviation: Deviation, first: int) -> tuple[Sign, ...]:
    """A jump, a shift, and a lack that no sudden fall before it explains; what is sudden, the steps to `first` say."""
    fall = usual(jump(deviation, more=False)[:first], deviation.step)
    lack = below(deviation, fallen(deviation, fall))
    return (
        Sign(name="spike", measure=jump(deviation), steps=1),
        Sign(name="shift", measure=above(deviation), steps=deviation.steps(ABOVE)),
        Sign(name="lack", measure=lack, steps=deviation.steps(BELOW)),
    )
