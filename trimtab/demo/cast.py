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
from trimtab.demo.runtimes import Recorded, TokenScrapes, openmetrics
from trimtab.settings import Settings, WorkloadSettings, resolved

# The end of each trace is kept back and goes on in real time after the history's end.
HELD_BACK = timedelta(hours=6)
HELD_BACK_SHARE = 0.1
# Job and instance of the replicas that are counted for, before the history's end and after it: the same series.
REPLAYED = "replayed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tokens:
    """Tokens/s that were taken in and generated."""

    prompt: LoadHistory
    generated: LoadHistory

    def until(self, moment: datetime) -> Tokens:
        """The steps that had ended at `moment`."""
        return Tokens(prompt=self.prompt.until(moment), generated=self.generated.until(moment))

    def since(self, moment: datetime) -> Tokens:
        """The steps that begin at or after `moment`."""
        return Tokens(prompt=self.prompt.since(moment), generated=self.generated.since(moment))


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One workload: how it is declared, what lies behind it and what is still to come.

    `past` and `future` are requests/s; the tokens are tokens/s on the same grid, where recorded.
    """

    declared: WorkloadSettings
    served: Served
    past: LoadHistory
    future: LoadHistory
    past_tokens: Tokens | None
    future_tokens: Tokens | None


def players(settings: Settings) -> tuple[Player, ...]:
    """Every workload of the settings that has a recorded history; TraceError for one that cannot be played."""
    known = {workload.id: resolved(workload, settings.defaults) for workload in settings.workloads}
    return tuple(_player(known[name], path) for name, path in settings.history.files.items())


def _player(declared: WorkloadSettings, path: Path) -> Player:
    load = read_trace(path).requests
    tokens = recorded_tokens(path, load)
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
            slo_s=declared.slo.latency_ms / 1000.0,
        ),
        past=load.until(cut),
        future=load.since(cut),
        past_tokens=None if tokens is None else tokens.until(cut),
        future_tokens=None if tokens is None else tokens.since(cut),
    )


def recorded_tokens(path: Path, load: LoadHistory) -> Tokens | None:
    """The trace's columns `input_tokens` and `output_tokens` on the grid of `load`; None where they are not both there."""
    with gzip.open(path, "rt", newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    if not rows or not {"input_tokens", "output_tokens"} <= rows[0].keys():
        return None
    places = [(datetime.fromisoformat(row["timestamp"]) - load.start) // load.step for row in rows]

    def per_second(column: str) -> LoadHistory:
        values = np.full(len(load), np.nan)
        values[places] = [float(row[column]) / load.step_s for row in rows]
        return LoadHistory(start=load.start, step=load.step, values=values)

    return Tokens(prompt=per_second("input_tokens"), generated=per_second("output_tokens"))


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
                    tokens=None if player.past_tokens is None else _scraped(player.past_tokens, end_s),
                ),
            )
            for player in cast
        ]
    )


def _scraped(tokens: Tokens, end_s: float) -> TokenScrapes:
    return TokenScrapes(prompt=scrapes(tokens.prompt, end_s), generated=scrapes(tokens.generated, end_s))


def history_start_s(cast: Sequence[Player], end_s: float) -> float:
    """Unix time at which the longest past begins."""
    return end_s - max(len(player.past) * player.past.step_s for player in cast)
