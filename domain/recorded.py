"""The names of the series that recording rules keep of a runtime's signals, for all who write or ask them."""

from __future__ import annotations

from datetime import timedelta

from domain.signals import RuntimeProfile, Signal

WINDOW = timedelta(minutes=5)  # of every series that a profile names
QUANTILE = 0.95  # of the recorded latencies that a profile names
AT_A_QUANTILE = (Signal.LATENCY, Signal.TIME_TO_FIRST_TOKEN, Signal.INTER_TOKEN_LATENCY)


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

    The profile names those over five minutes and, for latencies, at p95; the names of others differ from
    that by their window (`rate1h`) or quantile (`p99_9`) alone.
    """
    name = profile.recorded.get(signal)
    if name is None:
        return None
    if signal in AT_A_QUANTILE and quantile != QUANTILE:
        name = name.replace(_percentile(QUANTILE), _percentile(quantile))
    return name if window == WINDOW else f"{name.removesuffix(duration(WINDOW))}{duration(window)}"


def failed_name(profile: RuntimeProfile) -> str | None:
    """The recorded rate of failed requests, beside the ratio that the profile names."""
    name = profile.recorded.get(Signal.ERROR_RATIO)
    return None if name is None else name.replace(":ratio_rate", ":rate")


def bucket_name(profile: RuntimeProfile, signal: Signal) -> str | None:
    """The recorded bucket rates that quantiles of `signal` are read from; None where the profile has none."""
    name = profile.recorded.get(signal)
    if name is None or signal not in profile.buckets:
        return None
    level, metric, _ = name.split(":")
    return f"{level}_le:{metric}_bucket:rate{duration(WINDOW)}"


def _percentile(quantile: float) -> str:
    return f"p{100 * quantile:g}".replace(".", "_")
