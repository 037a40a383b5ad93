"""How much speaks for a plan, between 0 and 1."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain.capacity import CapacityBasis, CapacityModel
from domain.plan import Configuration, Plan, Reason
from domain.unknown import Unknown
from optimizer.forecast import Forecasting
from optimizer.outlook import Outlook
from optimizer.readiness import length_of_history

ENOUGH = timedelta(days=14)


def certainty(outlook: Outlook, capacity: CapacityModel) -> Mapping[str, float]:
    """Four shares that speak for any plan of a workload.

    Share of the load that is known since it was first seen; root of the share of two weeks that was seen (half a week: 0.5,
    one week: 0.71); how near the forecast's coverage came to its quantile on the back-test; how
    narrow the capacity's interval is (a lower bound that was never exceeded counts 0.7).
    """
    load, forecasting = outlook.load, outlook.forecasting
    seen = min(1.0, length_of_history(load) / ENOUGH) ** 0.5
    return {
        "known load": load.from_first_known().coverage,
        "length of history": seen,
        "forecast": _forecast(forecasting),
        "capacity": _capacity(capacity),
    }


def confidence_in(known: Mapping[str, float], plan: Plan, current: Configuration | Unknown) -> tuple[float, Reason]:
    """The product of the shares of `certainty` and a fifth one, and the sentence that names them.

    The fifth is how narrow the range of the plan's cost is, against today's bill where that is known.
    """
    parts = {**known, "cost": _cost(plan, current)}
    total = 1.0
    for share in parts.values():
        total *= share
    said = " x ".join(f"{name} {share:.2f}" for name, share in parts.items())
    return total, Reason(code="confidence", detail=f"{total:.2f} = {said}")


def _forecast(forecasting: Forecasting) -> float:
    score = forecasting.forecast.score
    return 0.5 if score is None else 1.0 - min(0.5, abs(score.coverage - score.quantile))


def _cost(plan: Plan, current: Configuration | Unknown) -> float:
    bill = 0.0 if isinstance(current, Unknown) else current.usd_per_month
    against = max(bill, plan.usd_per_month_high)
    return 1.0 - (plan.usd_per_month_high - plan.usd_per_month_low) / (2 * against) if against > 0 else 1.0


def _capacity(capacity: CapacityModel) -> float:
    if capacity.basis is CapacityBasis.LOWER_BOUND or capacity.high_rps is None:
        return 0.7
    return max(0.5, 1.0 - (capacity.high_rps - capacity.low_rps) / (2 * capacity.rate_rps))
