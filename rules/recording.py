"""Recording rules: a workload's signals once per interval, so that weeks of history are a cheap pull.

The history is the series that the profile names. The objectives are what alerts compare besides: other
quantiles of latency, and the windows of burn rates; those of two hours and more are evaluated less
often, because each reads so much.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta

from domain.signals import RuntimeProfile, Signal
from rules.burn import SHORT_WINDOWS, SLOW_WINDOWS
from rules.model import RecordingRule
from rules.promql import QUANTILE, WINDOW, duration, recorded_name

_COUNTED = (Signal.ERROR_RATIO, Signal.REQUEST_RATE)


def history_rules(profile: RuntimeProfile) -> tuple[RecordingRule, ...]:
    """Exactly the series that `profile.recorded` names."""
    return tuple(rule for signal in profile.recorded for rule in _record(profile, signal))


def objective_rules(profile: RuntimeProfile, quantiles: Collection[float]) -> tuple[RecordingRule, ...]:
    """Latency at each of `quantiles` that is not in the history, and the burn-rate windows under two hours."""
    others = sorted(set(quantiles) - {QUANTILE})
    latency = [rule for quantile in others for rule in _record(profile, Signal.LATENCY, quantile=quantile)]
    return (*latency, *_windows(profile, SHORT_WINDOWS))


def slow_rules(profile: RuntimeProfile) -> tuple[RecordingRule, ...]:
    """The burn-rate windows of two hours and more."""
    return tuple(_windows(profile, SLOW_WINDOWS))


def _windows(profile: RuntimeProfile, windows: tuple[timedelta, ...]) -> Iterator[RecordingRule]:
    for window in windows:
        for signal in _COUNTED:
            yield from _record(profile, signal, window=window)


def _record(
    profile: RuntimeProfile, signal: Signal, *, window: timedelta = WINDOW, quantile: float = QUANTILE
) -> Iterator[RecordingRule]:
    """The rule, or none where the profile neither names nor asks for the signal."""
    name = recorded_name(profile, signal, window=window, quantile=quantile)
    expression = profile.query(signal, {}, window=duration(window), quantile=quantile)
    if name is not None and expression is not None:
        yield RecordingRule(record=name, expr=expression)
