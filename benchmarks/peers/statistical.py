"""AutoETS, MSTL and Prophet on hourly series, run by `forecasts.py --peers` in an environment of their own.

Reads one JSON object from standard input, {"series": [[hourly values, no gaps], ...]}, and writes
{"AutoETS": [[24 values], ...], "MSTL": ..., "Prophet": ...} to standard output, requests/s.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import warnings
from collections.abc import Callable
from typing import Any

HORIZON = 24
DAY, WEEK = 24, 168


def auto_ets(series: Any) -> list[float]:
    """AutoETS with the season of a day."""
    models = importlib.import_module("statsforecast.models")
    return [float(v) for v in models.AutoETS(season_length=DAY).forecast(y=series, h=HORIZON)["mean"]]


def mstl(series: Any) -> list[float]:
    """MSTL with the seasons of a day and, from two weeks of history on, a week."""
    models = importlib.import_module("statsforecast.models")
    seasons = [DAY, WEEK] if len(series) >= 2 * WEEK else [DAY]
    return [float(v) for v in models.MSTL(season_length=seasons).forecast(y=series, h=HORIZON)["mean"]]


def prophet(series: Any) -> list[float]:
    """Prophet with its defaults."""
    pandas = importlib.import_module("pandas")
    model = importlib.import_module("prophet").Prophet()
    times = pandas.date_range("2024-01-01", periods=len(series) + HORIZON, freq="h")
    model.fit(pandas.DataFrame({"ds": times[: len(series)], "y": series}))
    return [float(v) for v in model.predict(pandas.DataFrame({"ds": times[len(series) :]}))["yhat"]]


PEERS: dict[str, Callable[[Any], list[float]]] = {"AutoETS": auto_ets, "MSTL": mstl, "Prophet": prophet}


def main() -> None:
    """Answer one request."""
    warnings.simplefilter("ignore")  # of other people's libraries, in a process of their own
    logging.disable(logging.CRITICAL)
    numpy = importlib.import_module("numpy")
    asked = json.load(sys.stdin)
    series = [numpy.array(values, dtype=float) for values in asked["series"]]
    json.dump({name: [peer(values) for values in series] for name, peer in PEERS.items()}, sys.stdout)


if __name__ == "__main__":
    main()
