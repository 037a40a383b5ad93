"""Days on which people rest: weekends, and public holidays where the country is known.

Days are counted in UTC. A workload that knows no weekend is not harmed: the candidates that use
the flags are weighed by the back-test like all others.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

SATURDAY, SUNDAY = 5, 6
THURSDAY = 3  # 1970-01-01
EPOCH = date(1970, 1, 1)
DAY_S = 86400.0


def is_rest(end: datetime, step: timedelta, offsets: NDArray[np.int64], country: str | None) -> NDArray[np.bool_]:
    """Whether the step that begins `offsets` steps after `end` (negative: before) lies on a rest day.

    Same shape as `offsets`. `country` is an ISO 3166 code known to the `holidays` package; with one,
    its public holidays and its own weekend count. ValueError for a country that is not known there.
    """
    seconds = end.astimezone(UTC).timestamp() + (offsets + 0.5) * step.total_seconds()
    days = np.floor(seconds / DAY_S).astype(np.int64)
    weekday = (days + THURSDAY) % 7
    if country is None:
        return np.asarray(weekday >= SATURDAY)
    free, weekend = _public(country, int(days.min()), int(days.max()))
    return np.asarray(np.isin(weekday, sorted(weekend)) | np.isin(days, free))


def need_calendar(country: str) -> None:
    """ValueError for a country that the `holidays` package does not know."""
    _public(country, 0, 0)


def _public(country: str, first: int, last: int) -> tuple[list[int], set[int]]:
    """Public holidays between two days since the epoch, and the weekdays of the weekend."""
    import holidays  # noqa: PLC0415  it costs 50 ms that only those who name a country pay

    years = range((EPOCH + timedelta(days=first)).year, (EPOCH + timedelta(days=last)).year + 1)
    try:
        calendar = holidays.country_holidays(country, years=years)
    except NotImplementedError as unknown:
        raise ValueError(
            f"country {country!r} has no holiday calendar; give an ISO 3166 code such as 'DE'"
        ) from unknown
    return [(day - EPOCH).days for day in calendar], set(calendar.weekend)
