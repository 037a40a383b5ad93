"""PromQL from a runtime profile: the recorded series where there is one, else the whole expression."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain.signals import RuntimeProfile, Signal, quote

WINDOW = timedelta(minutes=5)  # of every recorded series
QUANTILE = 0.95  # of the recorded latency


def duration(length: timedelta) -> str:
    """`length` as Prometheus writes it, in the largest whole unit: `90s`, `5m`, `1h`, `3d`."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def recorded_name(
    profile: RuntimeProfile, signal: Signal, *, window: timedelta = WINDOW, quantile: float = QUANTILE
) -> str | None:
    """The recorded series of `signal`; None if the profile records none.

    The profile names those over five minutes and, for latency, at p95; the names of others differ from
    that by their window (`rate1h`) or quantile (`p99_9`) alone.
    """
    name = profile.recorded.get(signal)
    if name is None:
        return None
    if signal is Signal.LATENCY and quantile != QUANTILE:
        name = name.replace(_percentile(QUANTILE), _percentile(quantile))
    return name if window == WINDOW else f"{name.removesuffix(duration(WINDOW))}{duration(window)}"


def _percentile(quantile: float) -> str:
    return f"p{100 * quantile:g}".replace(".", "_")


def ask(
    profile: RuntimeProfile,
    signal: Signal,
    labels: Mapping[str, str],
    *,
    window: timedelta = WINDOW,
    quantile: float = QUANTILE,
) -> str:
    """PromQL for `signal` of one workload, by the identity labels. ValueError if it can not be asked."""
    name = recorded_name(profile, signal, window=window, quantile=quantile)
    if name is not None:
        return series(name, labels)
    expression = profile.query(signal, labels, window=duration(window), quantile=quantile)
    if expression is None:
        raise ValueError(f"the runtime {profile.name} can not be asked for {signal}")
    return f"({expression})"


def series(name: str, labels: Mapping[str, str]) -> str:
    """`name{labels}`, label values escaped."""
    matchers = ",".join(f"{label}={quote(value)}" for label, value in labels.items())
    return f"{name}{{{matchers}}}"


def literal(text: str) -> str:
    """`text` inside a label or annotation, where Prometheus would run `{{ }}` as a template."""
    return text.replace("{{", '{{ "{{" }}')


def number(value: float) -> str:
    """A threshold as text, without float dust."""
    return f"{value:.6g}"
