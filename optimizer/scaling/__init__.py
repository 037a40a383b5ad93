"""How many replicas, step by step, from what was seen so far: one causal, self-tuning policy."""

from optimizer.scaling.policy import decide
from optimizer.scaling.problem import Decisions, Explanation, Opinion, PriceRow, ScalingProblem, past_reckoning

__all__ = ["Decisions", "Explanation", "Opinion", "PriceRow", "ScalingProblem", "decide", "past_reckoning"]
