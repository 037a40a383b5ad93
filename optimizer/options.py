"""Everything that can be set about a decision; each part receives only its own slice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from optimizer.allocation import AllocationOptions
from optimizer.calendar import CalendarOptions
from optimizer.capacity import CapacityOptions
from optimizer.guardrails import GuardrailOptions
from optimizer.modes import ModesOptions
from optimizer.readiness import Readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastOptions:
    """How far ahead and at which quantiles; `quantile` is the one that forecasters are compared at.

    `base` is the quantile of what is sure to be there (what may be reserved).
    """

    horizon: timedelta = timedelta(days=7)
    levels: tuple[float, ...] = (0.1, 0.5, 0.75, 0.9, 0.95, 0.99)
    quantile: float = 0.95
    base: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """The stretch of recent history on which plans are costed and replayed; `policies` empty replays nothing."""

    window: timedelta = timedelta(days=7)
    policies: tuple[str, ...] = ("trimtab", "schedule", "recorded", "hpa", "week", "fixed", "perfect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of a decision. `policy` names one of `optimizer.policies`; a recommendation stands for `valid_for`."""

    policy: str = "least_cost"
    valid_for: timedelta = timedelta(hours=6)
    sensitivity: bool = True
    readiness: Readiness = field(default_factory=Readiness)
    capacity: CapacityOptions = field(default_factory=CapacityOptions)
    allocation: AllocationOptions = field(default_factory=AllocationOptions)
    forecast: ForecastOptions = field(default_factory=ForecastOptions)
    modes: ModesOptions = field(default_factory=ModesOptions)
    calendar: CalendarOptions = field(default_factory=CalendarOptions)
    guardrails: GuardrailOptions = field(default_factory=GuardrailOptions)
    replay: ReplayOptions = field(default_factory=ReplayOptions)
