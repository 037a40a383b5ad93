"""What a history of availability proves of spot: units held, dollars and losses, by replay of the policy.

The policy is replayed over all that was seen before the decision, for each number of units that may be
meant for spot. A number is accepted where spot came cheaper than on-demand alone and its losses kept
within the budget, over a time long enough for the budget to pay for at least one loss; elsewhere those
units are on demand. Nothing is concluded from a history that is too old, or of which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from domain.load import Floats, LoadHistory
from domain.plan import Json
from domain.prices import SpotHistory
from domain.unknown import Unknown
from optimizer.spot.fleet import SpotRun
from optimizer.spot.policy import SpotProblem, hold

MOST_UNITS = 32  # more than that of one type in one zone is not bought on the word of its history


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotYield:
    """What came of 0, 1, 2, ... units meant for spot: units paid for in each way and units missing, on average."""

    spot: tuple[float, ...]
    on_demand: tuple[float, ...]
    missed: tuple[float, ...]

    def of(self, units: Floats) -> tuple[Floats, Floats, Floats]:
        """The same three for whole numbers of units; what is over the highest number tried is on demand."""
        at = np.minimum(np.rint(units), len(self.spot) - 1).astype(np.int64)
        return np.array(self.spot)[at], np.array(self.on_demand)[at] + (units - at), np.array(self.missed)[at]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpotProof:
    """The result of the replay in one zone. `refused[n]` says why n units did not prove themselves, and is empty where they did.

    `share` is the part of the known time in which a machine could be had, `wait` what the policy last
    asked for before it took one (None where it never could), `budget` the share of unit-time that may be lost.
    """

    zone: str
    source: str
    start: datetime
    end: datetime
    share: float
    budget: float
    wait: timedelta | None
    refused: tuple[str, ...]
    yields: SpotYield

    def words(self) -> str:
        """What was seen, in one clause."""
        seen = f"{(self.end - self.start) / timedelta(days=1):.1f} days of availability in {self.zone}"
        return f"{seen} to {self.end:%Y-%m-%d}, where a machine could be had {self.share:.0%} of the time"


def proof_of(history: SpotHistory, problem: SpotProblem, *, at: datetime, oldest: timedelta) -> SpotProof | Unknown:
    """What the history up to `at` proves; Unknown where it says nothing or ends more than `oldest` before."""
    seen = history.available.until(at)
    where = f"the availability of {history.instance_type} in {history.zone}"
    if not np.isfinite(seen.values).any():
        return Unknown(f"{where} is not known for any time before {at:%Y-%m-%d %H:%M} UTC")
    if at - seen.end > oldest:
        age = (at - seen.end) / timedelta(days=1)
        return Unknown(f"{where} was last seen {age:.0f} days before; at most {oldest.days} are trusted")
    most = int(min(np.nanmax(seen.values), MOST_UNITS))
    tried = [_tried(seen, units, problem) for units in range(1, most + 1)]
    return SpotProof(
        zone=history.zone,
        source=history.source,
        start=seen.start,
        end=seen.end,
        share=float((seen.values[np.isfinite(seen.values)] >= 1).mean()),
        budget=problem.budget,
        wait=tried[0].wait if tried else None,
        refused=("", *(each.refused for each in tried)),
        yields=SpotYield(
            spot=(0.0, *(each.spot for each in tried)),
            on_demand=(0.0, *(each.on_demand for each in tried)),
            missed=(0.0, *(each.missed for each in tried)),
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    refused: str
    spot: float
    on_demand: float
    missed: float
    wait: timedelta | None


def _tried(seen: LoadHistory, units: int, problem: SpotProblem) -> _Tried:
    """The policy for this many units; all on demand where that did not prove itself."""
    run = hold(seen, np.full(len(seen), units, dtype=np.int64), problem)
    refused = _refused(run, problem, seen.step)
    steps = float(run.paid_on_demand.sum()) / units
    asked = run.waits[np.isfinite(run.waits)]
    return _Tried(
        refused=refused,
        spot=0.0 if refused else float(run.spot.sum()) / steps,
        on_demand=float(units) if refused else float(run.on_demand.sum()) / steps,
        missed=0.0 if refused else float(run.missed.sum()) / steps,
        wait=float(asked[-1]) * seen.step if len(asked) else None,
    )


def _refused(run: SpotRun, problem: SpotProblem, step: timedelta) -> str:
    """Why this run speaks for on-demand; empty where it speaks for spot."""
    served, loss = float(run.served_on_demand.sum()), problem.delay(step).loss
    if problem.budget * served < loss:
        return f"the history is too short for the budget of {problem.budget:.3%} to pay for one loss"
    if run.missed_share > problem.budget:
        return f"{run.missed_share:.3%} would have been lost, over the budget of {problem.budget:.3%}"
    if run.saving(problem.price) <= 0:
        return "it was never there long enough to be cheaper within the budget"
    return ""


def best_proof(proofs: list[SpotProof | Unknown], price: float) -> SpotProof | Unknown:
    """Of several zones the one with the lowest cost per unit; the first reason where none proves anything."""
    known = [each for each in proofs if isinstance(each, SpotProof)]
    return min(known, key=lambda each: (_cost(each, price), each.zone)) if known else proofs[0]


def _cost(proof: SpotProof, price: float) -> float:
    """Least cost of a unit over all numbers tried, over that of one on demand; 1 where none could be had."""
    pairs = zip(proof.yields.spot[1:], proof.yields.on_demand[1:], strict=True)
    costs = [(price * spot + on_demand) / n for n, (spot, on_demand) in enumerate(pairs, 1)]
    return min(costs, default=1.0)


def as_json(proof: SpotProof) -> Mapping[str, Json]:
    """The proof as evidence; lists begin with one unit."""
    return {
        "zone": proof.zone,
        "source": proof.source,
        "start": f"{proof.start:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{proof.end:%Y-%m-%dT%H:%M:%SZ}",
        "available_share": proof.share,
        "budget": proof.budget,
        "wait_s": None if proof.wait is None else proof.wait.total_seconds(),
        "refused": [why or None for why in proof.refused[1:]],
        "spot_units": list(proof.yields.spot[1:]),
        "on_demand_units": list(proof.yields.on_demand[1:]),
        "missed_units": list(proof.yields.missed[1:]),
    }
