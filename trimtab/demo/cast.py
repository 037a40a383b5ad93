"""Who plays in the demonstration: the workloads of the example configuration, with past and future load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain.load import LoadHistory
from monitor.recorded import read_trace
from trimtab.demo.exposition import Served, scrapes
from trimtab.demo.live import Ahead
from trimtab.demo.runtimes import Recorded, openmetrics
from trimtab.settings import Settings, WorkloadSettings, resolved

# The end of each trace is kept back and goes on in real time after the history's end.
HELD_BACK = timedelta(hours=6)
HELD_BACK_SHARE = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """One workload: how it is declared, what lies behind it and what is still to come."""

    declared: WorkloadSettings
    served: Served
    past: LoadHistory
    future: LoadHistory

    def ahead(self, begins_s: float) -> Ahead:
        """What is to come, from a moment (Unix time) on."""
        return Ahead(begins_s=begins_s, load=self.future)


def players(settings: Settings) -> tuple[Player, ...]:
    """Every workload of the settings that has a recorded history."""
    known = {workload.id: resolved(workload, settings.defaults) for workload in settings.workloads}
    return tuple(_player(known[name], read_trace(path).requests) for name, path in settings.history.files.items())


def _player(declared: WorkloadSettings, load: LoadHistory) -> Player:
    kept = min(HELD_BACK, len(load) * load.step * HELD_BACK_SHARE)
    cut = load.end - (kept // load.step) * load.step
    return Player(
        declared=declared,
        served=Served(
            replicas=declared.replicas or 1,
            capacity_rps=declared.capacity_rps or 1.0,
            service_s=(declared.service_time_ms or 100.0) / 1000.0,
        ),
        past=load.until(cut),
        future=load.since(cut),
    )


def history_lines(cast: Sequence[Player], end_s: float) -> Iterator[str]:
    """The past of all players as one OpenMetrics text that ends at `end_s` (Unix time)."""
    return openmetrics(
        [
            (
                player.declared.runtime,
                Recorded(
                    labels={**player.declared.match, "job": "replayed", "instance": "replayed"},
                    seen=scrapes(player.past, end_s),
                    served=player.served,
                ),
            )
            for player in cast
        ]
    )


def history_start_s(cast: Sequence[Player], end_s: float) -> float:
    """Unix time at which the longest past begins."""
    return end_s - max(len(player.past) * player.past.step_s for player in cast)
