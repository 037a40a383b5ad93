"""The HorizontalPodAutoscaler's own arithmetic, to see what it will make of a manifest.

Source: kubernetes pkg/controller/podautoscaler, replica_calculator.go (GetExternalPerPodMetricReplicas)
and horizontal.go (convertDesiredReplicasWithBehaviorRate). Releases differ in whether a ratio that is
off by exactly the tolerance acts; here it does not, the case that swallows more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance
_DUST = 1e-9


def ignored(current: int, value: float, average_target: float = 1.0, tolerance: float = TOLERANCE) -> bool:
    """Whether the HPA leaves `current` alone: the ratio of value to target is within the tolerance."""
    return current > 0 and abs(1 - value / (average_target * current)) <= tolerance + _DUST


def proposal(current: int, value: float, average_target: float = 1.0, tolerance: float = TOLERANCE) -> int:
    """Replicas one external metric of type AverageValue asks for, when `current` pods exist."""
    if tolerance and ignored(current, value, average_target, tolerance):
        return current
    return math.ceil(value / average_target - _DUST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hpa:
    """The part of a HorizontalPodAutoscaler that decides: bounds and `spec.behavior`."""

    minimum: int
    maximum: int
    behavior: Mapping[str, Any]

    def tolerance(self, direction: str) -> float:
        """The tolerance that holds for `scaleUp` or `scaleDown`."""
        return float(self.behavior.get(direction, {}).get("tolerance", TOLERANCE))

    def sync(self, current: int, values: Sequence[float]) -> int:
        """Replicas after one decision on external metrics of target 1, a full policy period after the last.

        The stabilisation window delays a step down and does not change where it ends; it is left out.
        """
        wanted = max(self._proposal(current, value) for value in values)
        bounded = min(max(wanted, self.minimum), self.maximum)
        if bounded > current:
            return max(self.minimum, min(bounded, self._limit(current, "scaleUp")))
        return min(self.maximum, max(bounded, self._limit(current, "scaleDown")))

    def settle(self, current: int, values: Sequence[float]) -> int:
        """Where repeated decisions on the same values end."""
        while (after := self.sync(current, values)) != current:
            current = after
        return current

    def _proposal(self, current: int, value: float) -> int:
        return proposal(current, value, tolerance=self.tolerance("scaleUp" if value > current else "scaleDown"))

    def _limit(self, current: int, direction: str) -> int:
        """The furthest that the policies (selectPolicy Max) let one period go."""
        reached = [_reach(current, policy, direction) for policy in self.behavior[direction]["policies"]]
        return max(reached) if direction == "scaleUp" else min(reached)


def _reach(current: int, policy: Mapping[str, Any], direction: str) -> int:
    """Percent rounds up on the way up and down on the way down, as the controller does."""
    amount = int(policy["value"])
    if policy["type"] == "Pods":
        return current + amount if direction == "scaleUp" else current - amount
    share = amount / 100
    return math.ceil(current * (1 + share)) if direction == "scaleUp" else math.floor(current * (1 - share))
