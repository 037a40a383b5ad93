"""The HorizontalPodAutoscaler's own arithmetic, to see what it makes of a manifest.

Source: kubernetes pkg/controller/podautoscaler, replica_calculator.go (GetExternalPerPodMetricReplicas) and horizontal.go
(stabilizeRecommendationWithBehaviors, convertDesiredReplicasWithBehaviorRate). Releases differ in whether a ratio that is
off by exactly the tolerance acts; here it does not, the case that swallows more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance
SYNC_S = 15  # --horizontal-pod-autoscaler-sync-period
_DUST = 1e-9


def proposal(current: int, value: float, tolerance: float = TOLERANCE) -> int:
    """Replicas that one external metric of type AverageValue and target 1 asks for, when `current` pods exist."""
    if tolerance and current > 0 and abs(1 - value / current) <= tolerance + _DUST:
        return current
    return math.ceil(value - _DUST)


@dataclass(kw_only=True)
class Controller:
    """An HPA at work on `replicas`: its bounds, its `spec.behavior`, and what it proposed at each sync so far."""

    minimum: int
    maximum: int
    behavior: Mapping[str, Any]
    replicas: int
    proposed: list[int] = field(default_factory=list)

    def sync(self, *values: float) -> int:
        """One decision on external metrics of target 1, a policy's whole period after the last; the replicas then.

        Replicas outside the bounds are brought to the nearer one first, whatever the metrics say.
        """
        if not self.minimum <= self.replicas <= self.maximum:
            self.replicas = min(max(self.replicas, self.minimum), self.maximum)
            return self.replicas
        self.proposed.append(max(self._proposal(value) for value in values))
        wanted = min(max(self._stabilised(), self.minimum), self.maximum)
        if wanted > self.replicas:
            self.replicas = min(wanted, self._limit("scaleUp"))
        else:
            self.replicas = max(wanted, self._limit("scaleDown"))
        return self.replicas

    def settle(self, *values: float) -> int:
        """Where decisions on the same values end, every window passed."""
        windows = [int(self.behavior[each]["stabilizationWindowSeconds"]) for each in ("scaleUp", "scaleDown")]
        quiet = max(windows) // SYNC_S + 2
        seen: list[int] = []
        while len(set(seen[-quiet:])) != 1 or len(seen) < quiet:
            seen.append(self.sync(*values))
        return self.replicas

    def _proposal(self, value: float) -> int:
        rules = self.behavior["scaleUp" if value > self.replicas else "scaleDown"]
        return proposal(self.replicas, value, float(rules.get("tolerance", TOLERANCE)))

    def _stabilised(self) -> int:
        """Up to no more than the least, down to no less than the most that was proposed within the window."""
        return min(max(self.replicas, min(self._within("scaleUp"))), max(self._within("scaleDown")))

    def _within(self, direction: str) -> Sequence[int]:
        window_s = int(self.behavior[direction]["stabilizationWindowSeconds"])
        return self.proposed[-(window_s // SYNC_S + 1) :]

    def _limit(self, direction: str) -> int:
        """The furthest that the policies (selectPolicy Max) let one period go."""
        reached = [_reach(self.replicas, policy, direction) for policy in self.behavior[direction]["policies"]]
        return max(reached) if direction == "scaleUp" else min(reached)


def _reach(current: int, policy: Mapping[str, Any], direction: str) -> int:
    """Percent rounds up on the way up and down on the way down, as the controller does."""
    amount = int(policy["value"])
    if policy["type"] == "Pods":
        return current + amount if direction == "scaleUp" else current - amount
    share = amount / 100
    return math.ceil(current * (1 + share)) if direction == "scaleUp" else math.floor(current * (1 - share))
