"""Policies against history, side by side in replicas, dollars and misses."""

from optimizer.replay.bench import Bench, prepare
from optimizer.replay.compare import POLICIES, rated, replay
from optimizer.replay.report import ReplayReport, ReplayRow, ReplaySeries

__all__ = ["POLICIES", "Bench", "ReplayReport", "ReplayRow", "ReplaySeries", "prepare", "rated", "replay"]
