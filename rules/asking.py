"""How an alert asks for a workload's signals: as recorded, or computed from less where nothing was recorded yet.

A window longer than five minutes is the mean of the five-minute series over it, numerator and denominator apart:
one pass over raw samples serves every window, and the same expression can be asked of a past in which only the
five-minute series, or only the runtime's own metrics, are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.recorded import AT_A_QUANTILE, QUANTILE, WINDOW, duration, recorded_name
from domain.signals import RuntimeProfile, Signal
from rules.promql import number, series

LONG = timedelta(hours=1)  # above it, steps of a subquery are the five minutes that each of its rates is of


class Reading(StrEnum):
    """Which series an expression rests on; what it says is the same."""

    RECORDED = "recorded"  # every series that our rules record: what rule files ask
    HISTORY = "history"  # of those only the ones that are history, windows computed from them
    METRICS = "metrics"  # the runtime's own metrics alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """PromQL for one workload, selected by its identity labels."""

    profile: RuntimeProfile
    labels: Mapping[str, str]
    reading: Reading = Reading.RECORDED

    def now(self, signal: Signal, *, quantile: float = QUANTILE) -> str:
        """The signal over five minutes. ValueError if the runtime can not be asked for it."""
        name = recorded_name(self.profile, signal, quantile=quantile)
        history = signal not in AT_A_QUANTILE or quantile == QUANTILE
        if name is not None and (self._as_recorded or (self.reading is Reading.HISTORY and history)):
            return series(name, self.labels)
        expression = self.profile.query(signal, self.labels, window=duration(WINDOW), quantile=quantile)
        if expression is None:
            raise ValueError(f"the runtime {self.profile.name} can not be asked for {signal}")
        return f"({expression})"

    def requests(self, window: timedelta) -> str:
        """Requests/s over `window`."""
        return self._recorded(Signal.REQUEST_RATE, window) or mean(self.now(Signal.REQUEST_RATE), window)

    def failed_ratio(self, window: timedelta) -> str:
        """Share of the requests of `window` that failed."""
        recorded = self._recorded(Signal.ERROR_RATIO, window)
        if recorded is not None:
            return recorded
        ratio, rate = self.now(Signal.ERROR_RATIO), self.now(Signal.REQUEST_RATE)
        return f"({mean(failed(ratio, rate), window)} / {mean(rate, window)})"

    def latency(self, signal: Signal, window: timedelta, quantile: float) -> str:
        """Seconds at `quantile` of what was observed in `window`; ValueError where the profile has no buckets."""
        recorded = self._recorded(signal, window, quantile)
        if recorded is not None:
            return recorded
        if window == WINDOW:
            return self.now(signal, quantile=quantile)
        buckets = self.profile.bucket_rates(signal, self.labels, window=duration(WINDOW))
        if buckets is None:
            raise ValueError(f"the runtime {self.profile.name} has no buckets of {signal}")
        return f"histogram_quantile({number(quantile)}, {mean(f'({buckets})', window)})"

    @property
    def _as_recorded(self) -> bool:
        return self.reading is Reading.RECORDED

    def _recorded(self, signal: Signal, window: timedelta, quantile: float = QUANTILE) -> str | None:
        if window == WINDOW and signal not in AT_A_QUANTILE:
            return self.now(signal)
        name = recorded_name(self.profile, signal, window=window, quantile=quantile)
        return series(name, self.labels) if self._as_recorded and name is not None else None


def failed(ratio: str, rate: str) -> str:
    """Failed requests/s from their ratio and the rate of all; where nothing comes nothing fails, and 0/0 is no ratio."""
    return f"({ratio} * {rate} >= 0 or 0 * {rate})"


def mean(rate: str, window: timedelta) -> str:
    """The mean of a five-minute series over `window`; of one that is computed, at steps fine enough for the window."""
    if window == WINDOW:
        return rate
    step = "" if not rate.startswith("(") else ":1m" if window <= LONG else ":5m"
    return f"avg_over_time({rate}[{duration(window)}{step}])"
