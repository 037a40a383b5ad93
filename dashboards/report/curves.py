"""A day's load as one small SVG path: hours as points, gaps as gaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from math import isfinite

from dashboards.report.words import number
from domain.load import LoadHistory

WIDTH, HEIGHT = 96, 20
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Curve:
    """SVG path data in a WIDTH x HEIGHT box (0 at the foot, the day's peak at the top), and its caption."""

    path: str
    caption: str


def hourly(load: LoadHistory) -> list[float]:
    """Hourly means (or the nearest that the grid allows), NaN where missing."""
    values: list[float] = load.coarser(load.step * max(1, HOUR // load.step)).values.tolist()
    return values


def curve(load: LoadHistory) -> Curve | None:
    """One stroke per unbroken run of hours; None where no hour is known."""
    values = hourly(load)
    known = [value for value in values if isfinite(value)]
    if not known:
        return None
    peak = max(known)
    missing = len(values) - len(known)
    caption = f"Load by the hour, peak {figure(peak)} requests/s"
    if missing:
        caption += f"; {missing} of {len(values)} hours missing"
    return Curve("".join(strokes(values, peak)), caption)


def strokes(values: list[float], peak: float) -> list[str]:
    """Path pieces; an hour alone between gaps is drawn as a short dash so that it is seen."""
    across = WIDTH / max(1, len(values))
    pieces = []
    for seen, run in groupby(range(len(values)), key=lambda i: isfinite(values[i])):
        if seen:
            points = [(round(i * across + across / 2, 1), height(values[i], peak)) for i in run]
            if len(points) == 1:
                points = [(round(points[0][0] - 1, 1), points[0][1]), (round(points[0][0] + 1, 1), points[0][1])]
            pieces.append("M" + "L".join(f"{x:g} {y:g}" for x, y in points))
    return pieces


def height(value: float, peak: float) -> float:
    """Distance from the top, a stroke's width kept free at both ends."""
    return round(HEIGHT - 1 - (HEIGHT - 2) * (value / peak if peak > 0 else 0.0), 1)


def figure(rate_rps: float) -> str:
    """Three significant digits, without an exponent."""
    return number(float(f"{rate_rps:.3g}"), 0 if rate_rps >= 100 else 2)
