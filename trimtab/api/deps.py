"""What the routes need, handed in when the application is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry

from trimtab.store.journal import Journal
from trimtab.store.proofs import ProofStore
from trimtab.store.recommendations import Recommendations


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    """The store, the clock and the registry of our own metrics."""

    recommendations: Recommendations
    journal: Journal
    proofs: ProofStore
    clock: Callable[[], datetime]
    registry: CollectorRegistry
