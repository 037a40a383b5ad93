"""Who plays in the demonstration: the workloads of the example configuration, with past and future load."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from domain.errors import TraceError
from domain.load import LoadHistory
from monitor.recorded import read_trace
from trimtab.demo.exposition import Served, scrapes
from trimtab.demo.runtimes import Recorded, openmetrics
from trimtab.settings import Settings, WorkloadSettings, resolved

# The end of each trace is kept back and goes on in real time after the history's end.
HELD_BACK = timedelta(hours=6)
HELD_BACK_SHARE = 0.1
# Job and instance of the replicas that are counted for, before the history's end and after it: the same series.
REPLAYED = "replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One workload: how it is declared, what lies behind it and what is still to come.

    `past` and `future` are requests/s; the tokens are generated tokens/s on the same grid, where recorded.
    """

    declared: WorkloadSettings
    served: Served
    past: LoadHistory
    future: LoadHistory
    past_tokens: LoadHistory | None
    future_tokens: LoadHistory | None


def players(settings: Settings) -> tuple[Player, ...]:
    """Every workload of the settings that has a recorded history; TraceError for one that cannot be played."""
    known = {workload.id: resolved(workload, settings.defaults) for workload in settings.workloads}
    return tuple(_player(known[name], path) for name, path in settings.history.files.items())


def _player(declared: WorkloadSettings, path: Path) -> Player:
    load = read_trace(path).requests
    tokens = generated_tokens(path, load)
    kept = min(HELD_BACK, len(load) * load.step * HELD_BACK_SHARE)
    cut = load.end - (kept // load.step) * load.step
    if load.since(cut).coverage < 1:
        raise TraceError(str(path), f"has gaps after {cut:%Y-%m-%d %H:%M}, which is played live", "take another trace")
    return Player(
        declared=declared,
        served=Served(
            replicas=declared.replicas or 1,
            capacity_rps=declared.capacity_rps or 1.0,
            service_s=(declared.service_time_ms or 100.0) / 1000.0,
        ),
        past=load.until(cut),
        future=load.since(cut),
        past_tokens=None if tokens is None else tokens.until(cut),
        future_tokens=None if tokens is None else tokens.since(cut),
    )


def generated_tokens(path: Path, load: LoadHistory) -> LoadHistory | None:
    """The trace's column `output_tokens` as tokens/s on the grid of `load`; None where there is no such column."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    if not rows or "output_tokens" not in rows[0]:
        return None
    values = np.full(len(load), np.nan)
    for row in rows:
        place = (datetime.fromisoformat(row["timestamp"]) - load.start) // load.step
        values[place] = float(row["output_tokens"]) / load.step_s
    return LoadHistory(start=load.start, step=load.step, values=values)


def history_lines(cast: Sequence[Player], end_s: float) -> Iterator[str]:
    """The past of all players as one OpenMetrics text that ends at `end_s` (Unix time)."""
    return openmetrics(
        [
            (
                player.declared.runtime,
                Recorded(
                    labels={**player.declared.match, "job": REPLAYED, "instance": REPLAYED},
                    seen=scrapes(player.past, end_s),
                    served=player.served,
                    tokens=None if player.past_tokens is None else scrapes(player.past_tokens, end_s),
                ),
            )
            for player in cast
        ]
    )


def history_start_s(cast: Sequence[Player], end_s: float) -> float:
    """Unix time at which the longest past begins."""
    return end_s - max(len(player.past) * player.past.step_s for player in cast)
