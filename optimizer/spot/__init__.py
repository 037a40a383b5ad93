"""Spot machines: how many to hold while they can be had, and what that has cost and missed on real availability."""

from __future__ import annotations

from optimizer.spot.fleet import SpotRun
from optimizer.spot.patience import SpotPrior
from optimizer.spot.policy import SpotProblem, hold
from optimizer.spot.proof import SpotProof, SpotYield, best_proof, proof_of

__all__ = ["SpotPrior", "SpotProblem", "SpotProof", "SpotRun", "SpotYield", "best_proof", "hold", "proof_of"]
