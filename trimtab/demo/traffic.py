"""The traffic of the demonstration: one replica is real and really asked, all the others are counted for."""

from __future__ import annotations

import csv
import gzip
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, start_http_server

from trimtab.demo.cast import Player
from trimtab.demo.client import Client
from trimtab.demo.live import LIVE, Ahead, Replayed, keep_going
from trimtab.demo.stage import Ports, at

LIVE_WORKLOAD = "vision:digits"


def images(file: Path) -> tuple[list[list[float]], list[str]]:
    """Held-out digits: the pixels, and what each image really shows."""
    with gzip.open(file, "rt", newline="") as text:
        rows = list(csv.reader(text))[1:]
    return [[float(pixel) for pixel in row[1:]] for row in rows], [row[0] for row in rows]


class Traffic:
    """Load that goes on from `begins_s` (Unix time); leaving the `with` block ends it."""

    def __init__(self, cast: Sequence[Player], ports: Ports, held_out: Path, *, begins_s: float) -> None:
        self._stop = threading.Event()
        registry = CollectorRegistry()
        counters = {runtime: make(registry) for runtime, make in LIVE.items()}
        played = {player.declared.id: _everyone(player, begins_s) for player in cast}
        live = played[LIVE_WORKLOAD]
        one = 1.0 / live.served.replicas
        pixels, truth = images(held_out)
        self.client = Client(
            serving=at(ports.serving),
            quality=at(ports.quality),
            labels=live.labels,
            inputs=pixels,
            truth=truth,
            due=replace(live, share=one),
            stop=self._stop,
        )
        others = replace(live.served, replicas=live.served.replicas - 1)
        played[LIVE_WORKLOAD] = replace(live, share=1.0 - one, served=others)
        ticks = [partial(counters[player.declared.runtime].tick, played[player.declared.id]) for player in cast]
        self._threads = [self._thread([self.client.tick]), self._thread(ticks)]
        self._exporter, self._exporting = start_http_server(ports.replayed, addr="127.0.0.1", registry=registry)

    def _thread(self, ticks: Sequence[Callable[[float], None]]) -> threading.Thread:
        return threading.Thread(target=keep_going, args=(ticks, self._stop), daemon=True)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.client.close()
        self._exporter.shutdown()
        self._exporter.server_close()
        self._exporting.join()


def _everyone(player: Player, begins_s: float) -> Replayed:
    """All replicas of a player as counters."""
    tokens = player.future_tokens
    return Replayed(
        labels=player.declared.match,
        served=player.served,
        share=1.0,
        ahead=Ahead(begins_s=begins_s, load=player.future),
        prompt=None if tokens is None else Ahead(begins_s=begins_s, load=tokens.prompt),
        generated=None if tokens is None else Ahead(begins_s=begins_s, load=tokens.generated),
    )
