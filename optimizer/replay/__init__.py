"""Policies against history, side by side in replicas, dollars and misses."""

from optimizer.replay.bench import Bench, longest_warmup, prepare, unscored
from optimizer.replay.compare import POLICIES, rated, replay
from optimizer.replay.report import ReplayReport, ReplayRow, ReplaySeries

__all__ = [
    "POLICIES",
    "Bench",
    "ReplayReport",
    "ReplayRow",
    "ReplaySeries",
    "longest_warmup",
    "prepare",
    "rated",
    "replay",
    "unscored",
]
