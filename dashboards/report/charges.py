"""What a workload ran on over the report's day, as lines of quantity and unit price: the facts of the FOCUS file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from domain.unknown import Unknown
from domain.workload import ScaleTarget, ServingMode

Bought = Literal["on_demand", "spot", "reserved", "serverless"]
Unit = Literal["Hours", "1000 Requests"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """`quantity` units of `sku` at `unit_price`: machine-hours bought one way, or requests to a serverless service.

    `on_demand_price` is what a unit costs on demand (the same for what is bought so). A workload on a shared host has a
    part of the hours of a whole machine. `idle_share` (0..1) is the part that did no work, `covered` (0..1) how much of the
    day the cost rests on. `commitment` names the discount of reserved hours. `details` describe the machine.
    """

    workload: str
    team: str | None
    model: str | None
    target: ScaleTarget | None
    mode: ServingMode
    purchase: Bought
    cloud: str
    region: str
    sku: str
    quantity: float
    unit: Unit
    unit_price: float
    on_demand_price: float
    idle_share: float | Unknown
    covered: float | Unknown
    commitment: str | None = None
    details: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A workload of which the day's charges are not known, and why: it is in no row."""

    workload: str
    reason: str
