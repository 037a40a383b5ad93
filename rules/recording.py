"""Recording rules: a workload's signals once per interval, so that weeks of history are a cheap pull.

The history is the series that the profile names. The objectives are what alerts compare besides: other
quantiles of latency, and the windows of burn rates, each computed from a five-minute series; those of two
hours and more are evaluated less often, because each reads so much.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from domain.burn import FAST, SHORT_WINDOWS, SLOW, SLOW_WINDOWS, within_reach
from domain.recorded import QUANTILE, WINDOW, bucket_name, duration, failed_name, recorded_name
from domain.signals import RuntimeProfile, Signal
from rules.asking import failed, mean
from rules.model import RecordingRule
from rules.promql import number

Watched = tuple[Signal, float]
"""A latency signal and the quantile of it that some workload's promise is about."""


def compared(quantile: float) -> Iterator[tuple[timedelta, float]]:
    """Each window of a latency that some alert looks at, and the quantile it compares there."""
    yield WINDOW, quantile
    budget = 1.0 - quantile
    for row in within_reach((*FAST, *SLOW), budget):
        yield from ((row.long, row.quantile(budget)), (row.short, row.quantile(budget)))


def history_rules(profile: RuntimeProfile) -> tuple[RecordingRule, ...]:
    """Exactly the series that `profile.recorded` names."""
    return tuple(rule for signal in profile.recorded for rule in _asked(profile, signal))


def objective_rules(profile: RuntimeProfile, watched: Collection[Watched]) -> tuple[RecordingRule, ...]:
    """The five-minute series that windows are computed from, then what is compared in windows under two hours."""
    return (
        *_failures(profile),
        *_buckets(profile, sorted({signal for signal, _ in watched})),
        *_quantiles(profile, watched, (WINDOW, *SHORT_WINDOWS)),
        *_counts(profile, SHORT_WINDOWS),
    )


def slow_rules(profile: RuntimeProfile, watched: Collection[Watched]) -> tuple[RecordingRule, ...]:
    """What is compared in windows of two hours and more."""
    return (*_quantiles(profile, watched, SLOW_WINDOWS), *_counts(profile, SLOW_WINDOWS))


def _failures(profile: RuntimeProfile) -> Iterator[RecordingRule]:
    ratio, rate = (recorded_name(profile, signal) for signal in (Signal.ERROR_RATIO, Signal.REQUEST_RATE))
    name = failed_name(profile)
    if name is not None and ratio is not None and rate is not None:
        yield RecordingRule(record=name, expr=failed(ratio, rate)[1:-1])


def _buckets(profile: RuntimeProfile, signals: Iterable[Signal]) -> Iterator[RecordingRule]:
    for signal in signals:
        name, expression = bucket_name(profile, signal), profile.bucket_rates(signal, {}, window=duration(WINDOW))
        if name is not None and expression is not None:
            yield RecordingRule(record=name, expr=expression)


def _counts(profile: RuntimeProfile, windows: Iterable[timedelta]) -> Iterator[RecordingRule]:
    """Rate and failed ratio in each window."""
    failures, rate = failed_name(profile), recorded_name(profile, Signal.REQUEST_RATE)
    for window in windows:
        if rate is not None:
            yield _rule(recorded_name(profile, Signal.REQUEST_RATE, window=window), mean(rate, window))
        if failures is not None and rate is not None:
            ratio = f"{mean(failures, window)} / {mean(rate, window)}"
            yield _rule(recorded_name(profile, Signal.ERROR_RATIO, window=window), ratio)


def _quantiles(
    profile: RuntimeProfile, watched: Collection[Watched], windows: Collection[timedelta]
) -> Iterator[RecordingRule]:
    """Each quantile that an alert compares in one of `windows`, but for those of the history."""
    wanted = sorted(
        {
            (signal, window, level)
            for signal, quantile in watched
            for window, level in compared(quantile)
            if window in windows and (window, level) != (WINDOW, QUANTILE)
        },
        key=lambda each: (each[0], each[1], each[2]),
    )
    for signal, window, level in wanted:
        buckets = bucket_name(profile, signal)
        if buckets is not None:
            name = recorded_name(profile, signal, window=window, quantile=level)
            yield _rule(name, f"histogram_quantile({number(level)}, {mean(buckets, window)})")


def _asked(profile: RuntimeProfile, signal: Signal) -> Iterator[RecordingRule]:
    """The rule, or none where the profile neither names nor asks for the signal."""
    name, expression = recorded_name(profile, signal), profile.query(signal, {}, window=duration(WINDOW))
    if name is not None and expression is not None:
        yield RecordingRule(record=name, expr=expression)


def _rule(name: str | None, expr: str) -> RecordingRule:
    assert name is not None  # noqa: S101  asked only of signals that the profile records
    return RecordingRule(record=name, expr=expr)
