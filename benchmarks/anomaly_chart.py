"""A picture of some days: what came, the band that was expected of each day at its beginning, and the score."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from domain.load import LoadHistory
from optimizer.anomalies.expected import HOURS, expected
from optimizer.anomalies.judging import Watched
from optimizer.anomalies.watch import LOOKBACK, watch

DAY = timedelta(days=1)
LOAD, BAND, PAGE = "#0d6e6e", "#5b7fbf", "#ab1f17"


def draw(name: str, history: LoadHistory, first: datetime, days: int, out: Path) -> None:
    """`days` days of `history` from the midnight `first` on, to `out`."""
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8, 4.2), layout="constrained")
        load, score = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        for day in (first + place * DAY for place in range(days)):
            looked = watch(history, day)
            if not isinstance(looked, Watched):
                raise SystemExit(f"{name}, {day:%Y-%m-%d}: {looked.reason}")
            rows = expected(history.until(day).since(day - LOOKBACK)).within_hours(timedelta(hours=1) // history.step)
            at = [looked.start + (place + 0.5) * looked.step for place in range(len(looked.score))]
            low, _, high = (row[-HOURS * (timedelta(hours=1) // history.step) :][: len(at)] for row in rows)
            came = history.since(day).values[: len(at)]
            load.fill_between(at, low, high, color=BAND, alpha=0.35, lw=0, label="expected" if day == first else None)
            load.plot(at, came, color=LOAD, lw=1, label="came" if day == first else None)
            score.plot(at, looked.score, color=LOAD, lw=1)
            out_of = np.flatnonzero(looked.score > 1)
            for axis, values in ((load, came), (score, looked.score)):
                axis.plot([at[place] for place in out_of], values[out_of], ".", color=PAGE, ms=5)
        load.plot([], [], ".", color=PAGE, label="out of the ordinary")
        score.axhline(1, color=PAGE, lw=0.8, ls="--")
        score.set_ylabel("score")
        load.set_ylabel(name)
        load.set_ylim(bottom=0)
        score.set_ylim(bottom=0)
        load.legend(frameon=False, loc="upper left", ncols=3)
        locator = AutoDateLocator()  # type: ignore[no-untyped-call]
        score.xaxis.set_major_locator(locator)
        score.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        figure.savefig(out, dpi=110)
