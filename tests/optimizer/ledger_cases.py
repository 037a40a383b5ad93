"""A workload that does the same every day, for the tests of the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from domain.load import Floats, LoadHistory
from domain.observation import Observation
from domain.workload import Bounds, ServingMode
from optimizer.options import Options, ReplayOptions
from tests.optimizer import cases
from tests.optimizer.cases import WORKLOAD, history, machine, observation, without

DAY, STEP = timedelta(days=1), timedelta(minutes=15)
DAYS = 10
PER_DAY = DAY // STEP
OPTIONS = Options(sensitivity=False, replay=ReplayOptions(policies=()))
DEDICATED = replace(without(WORKLOAD, ServingMode.SERVERLESS, ServingMode.SHARED), bounds=Bounds(max_replicas=50))
# One replica to a box at a tenth of a dollar an hour; the big one is dearer for each.
BOOK = replace(cases.BOOK, offers=(machine("box", 0.1), machine("big", 1.0, vcpus=8.0, memory_gib=32.0)))


def periodic(days: float, scale: float = 1.0) -> LoadHistory:
    """The same every day: 2 to 10 requests/s."""
    hours = np.arange(int(days * PER_DAY)) / (PER_DAY / 24)
    return history(scale * (6 - 4 * np.cos(2 * np.pi * hours / 24)), STEP)


def seen(load: LoadHistory, replicas: Floats | float = 12.0, **facts: Any) -> Observation:
    """Twelve replicas of 1 request/s each at any time, unless said otherwise."""
    counted = replace(load, values=np.broadcast_to(replicas, len(load)).astype(np.float64))
    return observation(load, **({"workload": DEDICATED, "replicas": counted} | facts))
