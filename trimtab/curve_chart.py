"""A picture of what attainment costs: dollars against misses, the policy on it, and others beside it."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from dashboards.report.words import percent, rounded_money
from optimizer.frontier import Frontier
from optimizer.replay import ReplayReport
from trimtab.replay_chart import COLOURS, SHOWN, save

LEAST = 1e-5  # a smaller share of misses is drawn here: a log scale has no zero
BESIDE = ("schedule", "recorded", "hpa", "week", "fixed", "threshold")
GREY = "#68727d"
DEARER = 2.0  # times the dearest point of the curve: as far as the axis reaches for others


def draw(done: ReplayReport, curve: Frontier, out: Path) -> None:
    """Write the picture to `out`; SettingsError for a suffix that is no picture, or a place that cannot be written."""
    save("--curve", out, lambda: _figure(done, curve))


def _figure(done: ReplayReport, curve: Frontier) -> Figure:
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    axes = figure.subplots()
    points = curve.efficient()
    shares = [_drawn(point.missed_share) for point in points]
    axes.plot(shares, [point.usd for point in points], "o-", ms=4, lw=1.4, color=COLOURS["trimtab"], alpha=0.55)
    axes.axvline(done.budget, color=GREY, lw=0.9, ls=":")
    axes.annotate(f"budget {percent(done.budget)}", (done.budget, 0.02), xycoords=("data", "axes fraction"),
                  xytext=(4, 0), textcoords="offset points", va="bottom", fontsize=9, color=GREY)  # fmt: skip
    _others(axes, done, max(curve.live.usd, *(point.usd for point in points)))
    axes.plot(_drawn(curve.live.missed_share), curve.live.usd, "o", ms=10, color=COLOURS["trimtab"])
    axes.annotate(
        "trimtab, as it decided",
        (_drawn(curve.live.missed_share), curve.live.usd),
        xytext=(0, -18),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        color=COLOURS["trimtab"],
    )
    axes.set_xscale("log")
    axes.margins(x=0.1)  # the names beside the points that miss most stay within the picture
    axes.set_xlim(left=LEAST * 0.8)
    axes.set_ylim(0, 1.08 * axes.get_ylim()[1])
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda share, _: "none" if share <= LEAST else f"{share:.4%}".rstrip("0%").rstrip(".") + " %")
    )
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("requests missed")
    axes.set_ylabel(f"USD in {curve.hours / 24:.3g} days")
    axes.set_title(_title(curve), loc="left", fontsize=11)
    return figure


def _others(axes: Axes, done: ReplayReport, most: float) -> None:
    """The other policies of the replay; those far dearer than `most` would squeeze the curve and are named at the top with their price."""
    beyond = 0
    for name in BESIDE:
        row = next((row for row in done.rows if row.policy == name and row.usd is not None), None)
        if row is None or row.missed_share is None or row.usd is None:
            continue
        colour = COLOURS[name] if name in SHOWN else GREY
        if row.usd <= DEARER * most:
            axes.plot(_drawn(row.missed_share), row.usd, "s", ms=6, color=colour)
            _named(axes, name, row.missed_share, row.usd, colour)
        else:
            said = f"{name}: {rounded_money(row.usd, 'USD')}, {percent(row.missed_share)} missed"
            axes.annotate(said, (0.99, 0.985 - 0.045 * beyond), xycoords="axes fraction", ha="right", va="top",
                          fontsize=9, color=colour)  # fmt: skip
            beyond += 1


def _named(axes: Axes, name: str, share: float, usd: float, colour: str) -> None:
    axes.annotate(name, (_drawn(share), usd), xytext=(7, 5), textcoords="offset points", fontsize=9, color=colour)


def _drawn(share: float) -> float:
    return max(share, LEAST)


def _title(curve: Frontier) -> str:
    by = "given" if curve.given else "set by the error budget"
    return (
        f"What attainment costs: one point for each price of a missed request\n"
        f"now {curve.usd_per_missed_request_now:.3g} USD ({by}), quantile {curve.quantile_now:.5f}"
    )
