"""Names in the settings that the price book has to know: regions, accelerators, and what is said to run today."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from domain.errors import SettingsError
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


def regions(asked: Collection[Asked], sold: Sold) -> Iterator[SettingsError]:
    """Regions of which nothing is priced: nothing could be recommended there."""
    for each in asked:
        cloud, region = each.whole.cloud, each.whole.region
        if cloud in sold.regions and not sold.in_region(cloud, region):
            more = "; prices of another are given in prices.file"
            yield unknown_name(each.where("region", "cloud"), region, sold.regions[cloud], more)


def offers(asked: Collection[Asked], sold: Sold) -> Iterator[SettingsError]:
    """What is said to run today and has no price: neither could today's bill be told, nor a saving."""
    for each in asked:
        cloud, region, offer, mode = each.whole.cloud, each.whole.region, each.whole.offer, each.whole.mode
        if offer is None or not sold.in_region(cloud, region):
            continue
        machines = set() if mode is ServingMode.SERVERLESS else sold.machines.get((cloud, region), set())
        services = sold.services if mode in {ServingMode.SERVERLESS, None} else set()
        if offer not in machines and offer not in services:
            near = _near(offer, machines | services)
            fix = f"`trimtab prices show` lists what is known of {cloud} {region}; give its price in prices.file, or leave it out"
            yield SettingsError(each.where("offer", "mode", "cloud", "region"), offer, f"{near}{fix}")


def accelerators(sections: Collection[tuple[str, WorkloadDefaults]], book: PriceBook) -> Iterator[SettingsError]:
    """Accelerators of which nothing is priced, wherever."""
    priced = {each.accelerator for each in _prices(book) if each.accelerator is not None}
    names = {name.casefold() for name in priced}
    for where, section in sections:
        value = section.resources.accelerator
        if value is not None and value.casefold() not in names:
            yield unknown_name(f"{where}.resources.accelerator", value, priced)


def _prices(book: PriceBook) -> tuple[InstanceOffer | ServerlessTariff, ...]:
    return (*book.offers, *book.tariffs)


def _near(value: str, names: Collection[str]) -> str:
    spelled = {name.casefold(): name for name in sorted(names)}
    near = get_close_matches(value.casefold(), spelled, n=1, cutoff=0.5)
    return f"did you mean {spelled[near[0]]!r}? " if near else ""


def unknown_name(where: str, value: str, names: Collection[str], more: str = "") -> SettingsError:
    """The fault of a name that is none of `names`: with the nearest of them, and all that there are."""
    known = ", ".join(sorted(names)) or "none"
    return SettingsError(where, value, f"{_near(value, names)}known here: {known}{more}")
