"""From the moments at which an alert's expression held to the times it fired, as Prometheus would have had it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta

Span = tuple[int, int]


def fired(held: Iterable[Span], count: int, step: timedelta, wait: timedelta, tail: timedelta) -> list[Span]:
    """Index ranges [begin, end) in which the alert fires; `held` are those in which its expression had a result.

    An alert fires at the first evaluation at which its expression has held for `wait` (`for`), and ends at the first
    one at which it has not held for `tail` (`keep_firing_for`); held again before that, it goes on. Nothing is known
    beyond the last of `count` evaluations, nor before the first: an alert that was pending there begins anew.
    The rules are those of Prometheus' own evaluation (rules/alerting.go, 2.42).
    """
    need, keep = math.ceil(wait / step), math.ceil(tail / step)
    found: list[Span] = []
    for begin, end in held:
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], end + keep)
        elif begin + need < end:
            found.append((begin + need, end + keep))
    return [(begin, min(end, count)) for begin, end in found]
