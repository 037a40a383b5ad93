"""Questions about a price book: what is far from others, dearer on spot, listed twice, without its accelerator, old or undated.

A question is no error. A price ten times that of its neighbours may be right (and costs ten times as much
if it is not), so it is asked about and used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

from domain.prices import ClusterFee, Commitment, InstanceOffer, PriceBook, ServerlessTariff
from trimtab.pricesfar import far_prices

OLD = timedelta(days=90)
DEEP = 0.8  # a discount that nobody publishes
ACCELERATED: Mapping[str, re.Pattern[str]] = {  # by the vendors' naming rules
    "aws": re.compile(r"(p|g|gr|inf|trn|dl|f|vt)\d"),
    "gcp": re.compile(r"(a[2-9]|g[2-9]|ct)\w*-"),
    "azure": re.compile(r"Standard_N"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about, of which entry: `kind` is far, spot, twice, family, cloud, deep, future, old or undated."""

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
        *(Question(kind="far", entry=entry, detail=said) for entry, said in far_prices(book, others)),
        *_clouds(book, others),
        *_aged(book, today),
    )


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


def _clouds(book: PriceBook, others: PriceBook) -> Iterator[Question]:
    """Clouds that may be slips of the pen for known ones: the workloads of those never see their prices."""
    known = clouds_of(others)
    for cloud, count in Counter(entry.cloud for entry in _entries(book)).items():
        near = like_cloud(cloud, known)
        if near is not None:
            entries = "1 entry" if count == 1 else f"{count:,} entries"
            yield Question(kind="cloud", entry=cloud, detail=f"{entries} of a cloud of its own; is it {near}?")


def clouds_of(book: PriceBook) -> frozenset[str]:
    """The clouds that a book has prices of."""
    return frozenset(entry.cloud for entry in _entries(book))


def _entries(book: PriceBook) -> Iterator[InstanceOffer | Commitment | ServerlessTariff | ClusterFee]:
    yield from book.offers
    yield from book.commitments
    yield from book.tariffs
    yield from book.fees


def like_cloud(cloud: str, known: Collection[str]) -> str | None:
    """The known cloud that one of almost this name may mean; None for a known one, and for one like none of them."""
    if cloud in known:
        return None
    return next(iter(get_close_matches(cloud.casefold(), known, n=1)), None)


def _deep(book: PriceBook) -> Iterator[Question]:
    for each in book.commitments:
        if each.discount > DEEP:
            said = f"takes {each.discount:.0%} off on-demand; is it the share that is left?"
            yield Question(kind="deep", entry=" ".join(each.key), detail=said)


def _aged(book: PriceBook, today: date) -> Iterator[Question]:
    """One question for each source whose figures are old, of a day that has not come, or of an unknown date."""
    dated = [
        *((price.source, price.as_of) for offer in book.offers for price in (offer.on_demand, offer.spot) if price),
        *((each.source, each.as_of) for each in book.commitments),
        *((each.source, each.as_of) for each in book.tariffs),
        *((each.warm.source, each.warm.as_of) for each in book.tariffs if each.warm),
        *((each.price.source, each.price.as_of) for each in book.fees),
    ]
    for currency, day in sorted(set(_exchanges(book))):
        yield from _dated(currency, "the rate to USD", day, today)
    for (source, as_of), count in Counter(dated).items():
        prices = f"{count} price" if count == 1 else f"{count:,} prices"
        if as_of is None:
            yield Question(kind="undated", entry=source, detail=f"{prices} of an unknown date")
        else:
            yield from _dated(source, prices, as_of, today)


def _dated(entry: str, what: str, day: date, today: date) -> Iterator[Question]:
    if today - day > OLD:
        yield Question(kind="old", entry=entry, detail=f"{what}, {(today - day).days} days old ({day})")
    elif day > today:
        yield Question(kind="future", entry=entry, detail=f"{what}, of a day that has not come ({day})")


def _exchanges(book: PriceBook) -> Iterator[tuple[str, date]]:
    rates = [offer.on_demand.exchange for offer in book.offers]
    rates += [fee.price.exchange for fee in book.fees] + [tariff.exchange for tariff in book.tariffs]
    for rate in rates:
        if rate is not None:
            yield rate.currency, rate.as_of
