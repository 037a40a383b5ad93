"""How long a replica takes from wanted to ready: declared, else measured, else assumed and said so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from domain.capacity import ReadyBasis, TimeToReady

ASSUMED = timedelta(seconds=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Seconds that each start seen took, and what was measured."""

    seconds: tuple[float, ...]
    detail: str


def declared(time: timedelta) -> TimeToReady:
    """What the user states, for every start alike."""
    return TimeToReady(
        p50=time, p90=time, longest=time, basis=ReadyBasis.DECLARED, samples=0, detail="declared in the settings"
    )


def measured(starts: Starts) -> TimeToReady:
    """Quantiles of the starts seen, each one that was really measured (the higher neighbour: late costs more).

    ValueError without a start.
    """
    if not starts.seconds:
        raise ValueError("no start was measured")
    p50, p90, longest = (
        timedelta(seconds=float(value)) for value in np.quantile(starts.seconds, (0.5, 0.9, 1.0), method="higher")
    )
    count = len(starts.seconds)
    return TimeToReady(
        p50=p50,
        p90=p90,
        longest=longest,
        basis=ReadyBasis.MEASURED,
        samples=count,
        detail=f"{count} start{'s' * (count != 1)} measured, {starts.detail}",
    )


def assumed(why: str) -> TimeToReady:
    """The default, named as the assumption it is, with the reason why nothing better is known."""
    return TimeToReady(
        p50=ASSUMED,
        p90=ASSUMED,
        longest=ASSUMED,
        basis=ReadyBasis.ASSUMED,
        samples=0,
        detail=f"an assumption of {ASSUMED.total_seconds():.0f} s, for want of a measurement ({why})",
    )
