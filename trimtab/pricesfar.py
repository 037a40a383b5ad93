"""Prices ten times what they might be, or a tenth of it: against the entry they replace, and against their neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import TypeVar

import numpy as np

from domain.prices import ClusterFee, InstanceOffer, PriceBook, ServerlessTariff, WarmRates

FAR = 10.0  # times what is usual, or a part of it
FEWEST_NEIGHBOURS = 3
SIZE = 2.0  # machines within this factor in processors and in GiB per processor are of like size
METERS = ("usd_per_gib_second", "usd_per_vcpu_second", "usd_per_gpu_second")
SERVING = tuple(f"serving_{name}" for name in METERS)
Entry = TypeVar("Entry", InstanceOffer, ServerlessTariff, ClusterFee)


def far_prices(book: PriceBook, others: PriceBook) -> Iterator[tuple[str, str]]:
    """Entry and what is odd about it; what is far from the entry of `others` that it replaces is asked about once."""
    changed = [*_changed(book.offers, others.offers), *_changed(book.tariffs, others.tariffs)]
    changed += _changed(book.fees, others.fees)
    yield from changed
    told = {entry for entry, _ in changed}
    beside = (
        *_far_machines(book.offers, _others(others.offers, book.offers)),
        *_far_tariffs(book.tariffs, _others(others.tariffs, book.tariffs)),
        *_far_fees(book.fees, _others(others.fees, book.fees)),
    )
    yield from ((entry, said) for entry, said in beside if entry not in told)


def _others(entries: Sequence[Entry], own: Sequence[Entry]) -> list[Entry]:
    """The entries that none of the own ones overrides."""
    known = {each.key for each in own}
    return [each for each in entries if each.key not in known]


def _changed(own: Sequence[Entry], known: Sequence[Entry]) -> Iterator[tuple[str, str]]:
    """Figures of the own entries far from the same figures of those that they replace."""
    replaced = {each.key: _figures(each) for each in known}
    for each in own:
        before = replaced.get(each.key, {})
        for name, paid in _figures(each).items():
            times = _times(paid, before.get(name, math.nan))
            if times is not None:
                said = f"{name} {paid:.4g}, {times} the {before[name]:.4g} that it replaces; is the unit right?"
                yield " ".join(each.key), said


def _figures(entry: InstanceOffer | ServerlessTariff | ClusterFee) -> Mapping[str, float]:
    """What an entry charges, by name; what it does not charge for is left out."""
    if isinstance(entry, ClusterFee):
        found: dict[str, float | None] = {"USD an hour": entry.price.amount}
    elif isinstance(entry, InstanceOffer):
        spot = None if entry.spot is None else entry.spot.amount
        found = {"on-demand USD an hour": entry.on_demand.amount, "spot USD an hour": spot}
    else:
        found = {name: getattr(entry, name) for name in (*METERS, "usd_per_request")}
        if entry.warm is not None:
            found |= {f"warm.{name}": getattr(entry.warm, name) for name in (*METERS, *SERVING)}
    return {name: paid for name, paid in found.items() if paid}


def _far_machines(offers: Sequence[InstanceOffer], others: Sequence[InstanceOffer]) -> Iterator[tuple[str, str]]:
    """Against machines of the same cloud, or of all clouds where those are few: of the same accelerator, or of like size."""
    everything = [*offers, *others]
    size = np.array([(each.vcpus, each.memory_gib / each.vcpus) for each in everything]).reshape(-1, 2)
    kind = np.array([(each.accelerator or "").casefold() for each in everything])
    cloud = np.array([each.cloud for each in everything])
    usd = np.array([[_each(each, way) for way in ("on-demand", "spot")] for each in everything]).reshape(-1, 2)
    for i, offer in enumerate(offers):
        near = kind == kind[i]
        if not offer.accelerator:
            near &= ((size <= size[i] * SIZE) & (size >= size[i] / SIZE)).all(axis=1)
        near[i] = False
        own = near & (cloud == cloud[i])
        chosen = own if own.sum() >= FEWEST_NEIGHBOURS else near
        where = f"{offer.cloud}" if chosen is own else "all clouds"
        what = f"{offer.accelerator} machines in {where}" if offer.accelerator else f"machines of like size in {where}"
        unit = "accelerator" if offer.accelerator else "processor"
        for way, name in enumerate(("on-demand", "spot")):
            usual = usd[chosen, way]
            said = far(
                float(usd[i, way]), usual[np.isfinite(usual)].tolist(), f"{name} USD an hour for one {unit}", what
            )
            if said is not None:
                yield " ".join(offer.key), said


def _each(offer: InstanceOffer, way: str) -> float:
    """USD an hour for one accelerator, or processor where there is none; NaN where there is no such price."""
    price = offer.spot if way == "spot" else offer.on_demand
    if price is None:
        return math.nan
    return price.amount / ((offer.accelerator_count or math.nan) if offer.accelerator else offer.vcpus)


def _far_tariffs(tariffs: Sequence[ServerlessTariff], others: Sequence[ServerlessTariff]) -> Iterator[tuple[str, str]]:
    """An instance-second in use and kept warm, among those of like kind, and a request among all."""
    for tariff in tariffs:
        beside = [each for each in (*tariffs, *others) if each.key != tariff.key]
        like = [each for each in beside if _kind(each) == _kind(tariff)]
        what = f"serverless tariffs with {tariff.accelerator or 'two processors and 4 GiB'}"
        asked = (
            far(_second(tariff), [_second(each) for each in like], "USD a second", what),
            far(_warm(tariff), [_warm(each) for each in like], "USD a second kept warm", what),
            far(
                tariff.usd_per_request, [each.usd_per_request for each in beside], "USD a request", "serverless tariffs"
            ),
        )
        yield from ((" ".join(tariff.key), said) for said in asked if said is not None)


def _kind(tariff: ServerlessTariff) -> str:
    return (tariff.accelerator or "").casefold()


def _second(tariff: ServerlessTariff) -> float:
    return _instance_second(tariff, with_gpu=tariff.accelerator is not None)


def _warm(tariff: ServerlessTariff) -> float:
    return 0.0 if tariff.warm is None else _instance_second(tariff.warm, with_gpu=tariff.accelerator is not None)


def _instance_second(rates: ServerlessTariff | WarmRates, *, with_gpu: bool) -> float:
    if with_gpu:
        return rates.usd_per_gpu_second or 0.0
    return 4.0 * (rates.usd_per_gib_second or 0.0) + 2.0 * (rates.usd_per_vcpu_second or 0.0)


def _far_fees(fees: Sequence[ClusterFee], others: Sequence[ClusterFee]) -> Iterator[tuple[str, str]]:
    for fee in fees:
        usual = [each.price.amount for each in (*fees, *others) if each.key != fee.key]
        said = far(fee.price.amount, usual, "USD an hour", "cluster fees")
        if said is not None:
            yield " ".join(fee.key), said


def far(paid: float, charged: Sequence[float], unit: str, kind: str) -> str | None:
    """That `paid` is `FAR` times the median of what is charged, or as small a part of it; None where it is not, or few charge."""
    usual = [each for each in charged if each > 0]
    if len(usual) < FEWEST_NEIGHBOURS:
        return None
    middle = median(usual)
    times = _times(paid, middle)
    if times is None:
        return None
    return f"{unit} {paid:.4g}, {times} the median {middle:.4g} of {len(usual)} {kind}; is the unit right?"


def _times(paid: float, usual: float) -> str | None:
    """How many times, or which part of, what is usual is paid; None where that is not far, or either is nothing."""
    if not (paid > 0 and usual > 0) or usual / FAR < paid < usual * FAR:
        return None
    return f"{paid / usual:.3g} times" if paid > usual else f"1/{usual / paid:.3g} of"
