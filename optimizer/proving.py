"""What the histories of spot availability prove for the machine types a workload may run on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from domain.prices import InstanceOffer, PriceBook
from domain.unknown import Unknown
from domain.workload import Workload
from optimizer.machines import Machines
from optimizer.purchase import PurchaseOptions, Risk
from optimizer.spot import SpotProblem, SpotProof, best_proof, proof_of

Proofs = Mapping[str, SpotProof | Unknown]
MOST_LOST = 0.99  # of what is on spot: a machine that may be gone all the time serves nobody


def spot_proofs(
    workload: Workload, machines: Machines, book: PriceBook, *, at: datetime, risk: Risk, options: PurchaseOptions
) -> Proofs:
    """By machine type that the workload fits on; of several zones that of the lowest cost.

    The budget that spot may use up is that of the whole workload; at most the share 1 - `firm_share`
    of it runs on spot, so each of those machines may lose that much more.
    """
    found: dict[str, list[SpotProof | Unknown]] = defaultdict(list)
    for history in book.availability:
        fit = machines.by_name.get(history.instance_type)
        if fit is None or options.firm_share >= 1.0 or not history.lies_in(workload.cloud, workload.region):
            continue
        problem = _problem(fit.offer, risk, options)
        if problem is not None:
            found[history.instance_type].append(proof_of(history, problem, at=at, oldest=options.availability_age))
    return {name: best_proof(proofs, _price(machines.by_name[name].offer)) for name, proofs in found.items()}


def _problem(offer: InstanceOffer, risk: Risk, options: PurchaseOptions) -> SpotProblem | None:
    """None where spot is no cheaper, so that nothing need be proved."""
    price = _price(offer)
    if price >= 1.0:
        return None
    return SpotProblem(
        startup=risk.startup,
        price=price,
        budget=min(MOST_LOST, options.spot_budget_share * risk.budget / (1.0 - options.firm_share)),
        notice=options.notice,
        prior=options.spot_prior,
    )


def _price(offer: InstanceOffer) -> float:
    return 1.0 if offer.spot is None else offer.spot.amount / offer.on_demand.amount
