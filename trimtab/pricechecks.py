"""Questions about a price book: what is far from its neighbours, dearer on spot, listed twice, old or undated.

A question is no error. A price ten times that of its neighbours may be right (and costs ten times as much
if it is not), so it is asked about and used.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import TypeVar

import numpy as np

from domain.prices import InstanceOffer, PriceBook, ServerlessTariff

FAR = 10.0  # times the median of the neighbours, or a part of it
FEWEST_NEIGHBOURS = 3
SIZE = 2.0  # machines within this factor in processors and in GiB per processor are of like size
OLD = timedelta(days=90)
DEEP = 0.8  # a discount that nobody publishes
ACCELERATED: Mapping[str, re.Pattern[str]] = {  # by the vendors' naming rules
    "aws": re.compile(r"(p|g|gr|inf|trn|dl|f|vt)\d"),
    "gcp": re.compile(r"(a[2-9]|g[2-9]|ct)\w*-"),
    "azure": re.compile(r"Standard_N"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about, of which entry: `kind` is far, spot, twice, family, deep, old or undated."""

    kind: str
    entry: str
    detail: str

    def __str__(self) -> str:
        return f"{self.entry}: {self.detail}"


def questions(book: PriceBook, *, today: date, among: PriceBook | None = None) -> tuple[Question, ...]:
    """Everything worth asking about `book`, whose neighbours are its own entries and those of `among`."""
    others = among or PriceBook()
    return (
        *_twice(book),
        *_spot_above(book.offers),
        *_families(book.offers),
        *_deep(book),
        *_far_machines(book.offers, _others(others.offers, book.offers)),
        *_far_tariffs(book.tariffs, _others(others.tariffs, book.tariffs)),
        *_aged(book, today),
    )


Keyed = TypeVar("Keyed", InstanceOffer, ServerlessTariff)


def _others(entries: Sequence[Keyed], own: Sequence[Keyed]) -> list[Keyed]:
    """The entries that none of the own ones overrides."""
    known = {each.key for each in own}
    return [each for each in entries if each.key not in known]


def _twice(book: PriceBook) -> Iterator[Question]:
    for entries in (book.offers, book.commitments, book.tariffs, book.fees):
        for key, count in Counter(each.key for each in entries).items():
            if count > 1:
                yield Question(kind="twice", entry=" ".join(key), detail=f"listed {count} times; the last one is used")


def _spot_above(offers: Iterable[InstanceOffer]) -> Iterator[Question]:
    for offer in offers:
        if offer.spot is not None and offer.spot.amount > offer.on_demand.amount:
            said = f"spot at {offer.spot.amount:g} USD an hour is above on-demand at {offer.on_demand.amount:g}"
            yield Question(kind="spot", entry=" ".join(offer.key), detail=said)


def _families(offers: Iterable[InstanceOffer]) -> Iterator[Question]:
    """Machines that have an accelerator by their name, or name one, and do not say how many or how large."""
    for offer in offers:
        family = ACCELERATED.get(offer.cloud)
        if offer.accelerator and not (offer.accelerator_count and offer.gpu_memory_gib):
            said = f"has {offer.accelerator}; how many (accelerator_count) and of what size (gpu_memory_gib)?"
        elif not offer.accelerator and family and family.match(offer.instance_type):
            said = "by its name it has an accelerator, and none is listed; nothing that needs one will be put on it"
        else:
            continue
        yield Question(kind="family", entry=" ".join(offer.key), detail=said)


def _deep(book: PriceBook) -> Iterator[Question]:
    for each in book.commitments:
        if each.discount > DEEP:
            said = f"takes {each.discount:.0%} off on-demand; is it the share that is left?"
            yield Question(kind="deep", entry=" ".join(each.key), detail=said)


def _far_machines(offers: Sequence[InstanceOffer], others: Sequence[InstanceOffer]) -> Iterator[Question]:
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
                yield Question(kind="far", entry=" ".join(offer.key), detail=said)


def _each(offer: InstanceOffer, way: str) -> float:
    """USD an hour for one accelerator, or processor where there is none; NaN where there is no such price."""
    price = offer.spot if way == "spot" else offer.on_demand
    if price is None:
        return math.nan
    return price.amount / ((offer.accelerator_count or math.nan) if offer.accelerator else offer.vcpus)


def _far_tariffs(tariffs: Sequence[ServerlessTariff], others: Sequence[ServerlessTariff]) -> Iterator[Question]:
    """An instance-second of like kind: one with the same accelerator, or two processors and 4 GiB without one."""
    everything = [*tariffs, *others]
    for tariff in tariffs:
        kind = tariff.accelerator or "two processors and 4 GiB"
        near = [
            each
            for each in everything
            if each.key != tariff.key and (each.accelerator or "").casefold() == (tariff.accelerator or "").casefold()
        ]
        usual = [_second(each) for each in near]
        said = far(_second(tariff), usual, "USD a second", f"serverless tariffs with {kind}")
        if said is not None:
            yield Question(kind="far", entry=" ".join(tariff.key), detail=said)


def _second(tariff: ServerlessTariff) -> float:
    if tariff.accelerator:
        return tariff.usd_per_gpu_second or 0.0
    return 4.0 * (tariff.usd_per_gib_second or 0.0) + 2.0 * (tariff.usd_per_vcpu_second or 0.0)


def far(paid: float, usual: Sequence[float], unit: str, kind: str) -> str | None:
    """That `paid` is `FAR` times the median of its neighbours, or as small a part of it; None where it is not, or they are few."""
    if len(usual) < FEWEST_NEIGHBOURS or not paid > 0:
        return None
    middle = median(usual)
    if middle <= 0 or middle / FAR < paid < middle * FAR:
        return None
    times = f"{paid / middle:.3g} times" if paid > middle else f"1/{middle / paid:.3g} of"
    return f"{unit} {paid:.4g}, {times} the median {middle:.4g} of {len(usual)} {kind}; is the unit right?"


def _aged(book: PriceBook, today: date) -> Iterator[Question]:
    """One question for each source whose figures are old, or of an unknown date."""
    dated = [
        *((price.source, price.as_of) for offer in book.offers for price in (offer.on_demand, offer.spot) if price),
        *((each.source, each.as_of) for each in book.commitments),
        *((each.source, each.as_of) for each in book.tariffs),
        *((each.warm.source, each.warm.as_of) for each in book.tariffs if each.warm),
        *((each.price.source, each.price.as_of) for each in book.fees),
    ]
    for currency, day in sorted(set(_exchanges(book))):
        if today - day > OLD:
            said = f"the rate to USD is {(today - day).days} days old ({day})"
            yield Question(kind="old", entry=currency, detail=said)
    for (source, as_of), count in Counter(dated).items():
        prices = f"{count} price" if count == 1 else f"{count:,} prices"
        if as_of is None:
            yield Question(kind="undated", entry=source, detail=f"{prices} of an unknown date")
        elif today - as_of > OLD:
            said = f"{prices}, {(today - as_of).days} days old ({as_of})"
            yield Question(kind="old", entry=source, detail=said)


def _exchanges(book: PriceBook) -> Iterator[tuple[str, date]]:
    rates = [offer.on_demand.exchange for offer in book.offers]
    rates += [fee.price.exchange for fee in book.fees] + [tariff.exchange for tariff in book.tariffs]
    for rate in rates:
        if rate is not None:
            yield rate.currency, rate.as_of
