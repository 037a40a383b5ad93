"""What the routes need, handed in when the application is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry

from trimtab.objectives import Progress
from trimtab.store.journal import Journal
from trimtab.store.proofs import ProofStore
from trimtab.store.recommendations import Recommendations


def no_objectives(_now: datetime) -> Sequence[Progress]:
    """How far objectives have come where none are set."""
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The store, the clock, the registry of our own metrics, and how far objectives have come at a moment."""

    recommendations: Recommendations
    journal: Journal
    proofs: ProofStore
    clock: Callable[[], datetime]
    registry: CollectorRegistry
    progress: Callable[[datetime], Sequence[Progress]] = no_objectives
