"""Names in the settings that should have a price: regions, accelerators, and what is said to run today.

One without is no fault: the workload is watched and forecast all the same, and what rests on the price is unknown. It
may well be misspelt, though.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from domain.prices import InstanceOffer, PriceBook, ServerlessTariff
from domain.workload import ServingMode
from trimtab.settings import WorkloadDefaults

ANYWHERE = "any"  # the region of a tariff that is the same in all


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one workload is asked about with: what it says itself over the defaults. `own` is what it says itself."""

    name: str
    whole: WorkloadDefaults
    own: WorkloadDefaults

    def where(self, field: str, *of: str) -> str:
        """The place in the settings at which `field` is written, or one of those that it depends on."""
        written = self.own.model_fields_set & {field, *of}
        return f"{self.name}.{field}" if written else f"defaults.{field}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sold:
    """Names in the price book: regions by cloud, machine types by cloud and region, serverless services of all."""

    regions: Mapping[str, set[str]]
    machines: Mapping[tuple[str, str], set[str]]
    services: set[str]

    @classmethod
    def of(cls, book: PriceBook) -> Sold:
        regions: dict[str, set[str]] = {}
        machines: dict[tuple[str, str], set[str]] = {}
        for price in _prices(book):
            regions.setdefault(price.cloud, set()).add(price.region)
        for offer in book.offers:
            machines.setdefault((offer.cloud, offer.region), set()).add(offer.instance_type)
        return cls(regions=regions, machines=machines, services={tariff.service for tariff in book.tariffs})

    def in_region(self, cloud: str, region: str) -> bool:
        """Whether anything is sold there."""
        return not {region, ANYWHERE}.isdisjoint(self.regions.get(cloud, ()))


def regions(asked: Collection[Asked], sold: Sold) -> Iterator[str]:
    """Regions of which nothing is priced: nothing can be recommended there."""
    for each in asked:
        cloud, region = each.whole.cloud, each.whole.region
        if cloud in sold.regions and not sold.in_region(cloud, region):
            known = ", ".join(sorted(sold.regions[cloud]))
            yield (
                f"{each.where('region', 'cloud')}: {region!r} has no prices, so nothing can be proposed there; "
                f"{near(region, sold.regions[cloud])}known of {cloud}: {known}; give those of another in prices.file"
            )


def offers(asked: Collection[Asked], sold: Sold) -> Iterator[str]:
    """What is said to run today and has no price: neither can today's bill be told, nor a saving."""
    for each in asked:
        cloud, region, offer, mode = each.whole.cloud, each.whole.region, each.whole.offer, each.whole.mode
        if offer is None or not sold.in_region(cloud, region):
            continue
        machines = set() if mode is ServingMode.SERVERLESS else sold.machines.get((cloud, region), set())
        services = sold.services if mode in {ServingMode.SERVERLESS, None} else set()
        if offer not in machines and offer not in services:
            yield (
                f"{each.where('offer', 'mode', 'cloud', 'region')}: {offer!r} has no price, so neither today's bill nor a saving is known; "
                f"{near(offer, machines | services)}`trimtab prices show` lists what is known of {cloud} {region}; give its price in prices.file"
            )


def accelerators(sections: Collection[tuple[str, WorkloadDefaults]], book: PriceBook) -> Iterator[str]:
    """Accelerators that nothing priced has, wherever."""
    priced = {each.accelerator for each in _prices(book) if each.accelerator is not None}
    names = {name.casefold() for name in priced}
    for where, section in sections:
        value = section.resources.accelerator
        if value is not None and value.casefold() not in names:
            yield (
                f"{where}.resources.accelerator: {value!r} is in no machine that has a price, so nothing can be proposed; "
                f"{near(value, priced)}known: {', '.join(sorted(priced))}"
            )


def _prices(book: PriceBook) -> tuple[InstanceOffer | ServerlessTariff, ...]:
    return (*book.offers, *book.tariffs)


def near(value: str, names: Collection[str]) -> str:
    """A question after the nearest of the names, where one is near."""
    spelled = {name.casefold(): name for name in sorted(names)}
    found = get_close_matches(value.casefold(), spelled, n=1, cutoff=0.5)
    return f"did you mean {spelled[found[0]]!r}? " if found else ""
