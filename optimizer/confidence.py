"""How much speaks for a plan, between 0 and 1."""

from __future__ import annotations

from datetime import timedelta

from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.plan import Reason
from optimizer.forecast import Forecasting

ENOUGH = timedelta(days=14)


def confidence_in(load: LoadHistory, capacity: CapacityModel, forecasting: Forecasting) -> tuple[float, Reason]:
    """The product of four shares, and the sentence that names them.

    Share of the load that is known; root of the share of two weeks that was seen (half a week: 0.5,
    one week: 0.71); how near the forecast's coverage came to its quantile on the back-test; how
    narrow the capacity's interval is (a lower bound that was never exceeded counts 0.7).
    """
    seen = min(1.0, len(load) * load.step / ENOUGH) ** 0.5
    parts = {
        "known load": load.coverage,
        "length of history": seen,
        "forecast": _forecast(forecasting),
        "capacity": _capacity(capacity),
    }
    total = 1.0
    for share in parts.values():
        total *= share
    said = " x ".join(f"{name} {share:.2f}" for name, share in parts.items())
    return total, Reason(code="confidence", detail=f"{total:.2f} = {said}")


def _forecast(forecasting: Forecasting) -> float:
    score = forecasting.forecast.score
    return 0.5 if score is None else 1.0 - min(0.5, abs(score.coverage - score.quantile))


def _capacity(capacity: CapacityModel) -> float:
    if capacity.basis is CapacityBasis.LOWER_BOUND or capacity.high_rps is None:
        return 0.7
    return max(0.5, 1.0 - (capacity.high_rps - capacity.low_rps) / (2 * capacity.rate_rps))
