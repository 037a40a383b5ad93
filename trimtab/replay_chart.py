"""A picture of a replay: the load, what each policy kept ready, and what it missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from domain.errors import SettingsError
from optimizer.replay import ReplayReport, ReplaySeries
from trimtab.outputs import need_pictures

SHOWN = ("trimtab", "schedule", "recorded", "hpa", "week")  # more lines than these are not told apart
COLOURS = {"trimtab": "#0d6e6e", "recorded": "#ab1f17", "hpa": "#c98500", "week": "#7a5ea8", "schedule": "#5b7fbf",
           "fixed": "#68727d", "threshold": "#c2528b", "perfect": "#3f9142"}  # fmt: skip
MOST_POINTS = 2000


def draw(done: ReplayReport, out: Path) -> None:
    """Write the picture to `out`; SettingsError for a suffix that is no picture, or a place that cannot be written."""
    save("--chart", out, lambda: _figure(done))


def save(option: str, out: Path, drawn: Callable[[], Figure]) -> None:
    """Write what `drawn` draws; SettingsError that names `option`, before anything is drawn where the suffix is wrong."""
    need_pictures({option: out})
    figure = drawn()
    temporary = out.with_name(f".{out.name}{out.suffix}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with mpl.rc_context({"svg.hashsalt": "trimtab"}):
            figure.savefig(temporary, dpi=130, metadata={"Date": None} if out.suffix == ".svg" else None)
        temporary.replace(out)
    except OSError as fault:
        raise SettingsError(option, str(out), f"name a file that can be written ({fault.strerror})") from None
    finally:
        temporary.unlink(missing_ok=True)


def _figure(done: ReplayReport) -> Figure:
    figure = Figure(figsize=(12, 6.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = max(1, -(-len(done.load_rps) // MOST_POINTS))
    times = [done.start + i * width * done.step for i in range(-(-len(done.load_rps) // width))]
    needed = _peaks(done.load_rps, width) / done.capacity_rps
    above.fill_between(times, needed, color="#dfe4ea", step="post", label="load, in replicas' worth")
    for series in _shown(done):
        colour, front = COLOURS[series.policy], 3 if series.policy == SHOWN[0] else 2  # ours is not hidden by others
        above.step(
            times, _peaks(series.ready, width), where="post", lw=1.2, color=colour, label=series.policy, zorder=front
        )
        below.step(times, _peaks(series.missed_rps, width), where="post", lw=1.0, color=colour, zorder=front)
    span = f"; highest of each {_span(width * done.step)}" if width > 1 else ""
    above.set_title(f"Replicas ready against the load, and what was missed{span}", loc="left", fontsize=12)
    above.set_ylabel("replicas")
    below.set_ylabel("missed requests/s")
    below.set_xlabel("UTC", loc="left")
    above.legend(loc="upper left", ncols=1 + len(SHOWN), frameon=False, fontsize=9)
    for axes in (above, below):
        axes.set_ylim(bottom=0)
        axes.margins(x=0)
        axes.spines[["top", "right"]].set_visible(False)
    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    below.xaxis.set_major_locator(locator)
    below.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    above.set_ylim(top=1.18 * above.get_ylim()[1])
    return figure


def _shown(done: ReplayReport) -> list[ReplaySeries]:
    """All where they are few, for those that were asked for by name are to be seen; else those that tell most.

    What cannot be had (a baseline that no setting keeps within the budget, replicas that nobody recorded) has no line.
    """
    known = [each for each in done.series if done.row(each.policy).usd is not None]
    return [each for each in known if each.policy in SHOWN or len(done.series) <= len(SHOWN)]


def _peaks(values: np.ndarray, width: int) -> np.ndarray:
    """The highest of each `width` steps, so that no peak is lost; NaN where nothing is known."""
    padded = np.concatenate([values, np.full(-len(values) % width, -np.inf)])
    highest = np.where(np.isfinite(padded), padded, -np.inf).reshape(-1, width).max(axis=1)
    return np.where(np.isfinite(highest), highest, np.nan)


def _span(duration: timedelta) -> str:
    minutes = duration / timedelta(minutes=1)
    return f"{minutes:g} min" if minutes < 120 else f"{minutes / 60:g} h"
