"""Folders of recorded spot availability: which zone and machine type a file tells of, and at which price.

Files are CSV (gzip allowed) with `timestamp` and `value` (machines that could be held), named as those of
skypilot-org/spot-traces: `KIND_NODES_CLOUDDATE_ZONE_TYPE`. A file with another name is a region of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.measure import csv_files
from domain.errors import TraceError
from domain.load import LoadHistory
from domain.prices import InstanceOffer, PriceBook
from monitor.availability_file import read_availability
from monitor.recorded import name_of

NAMED = re.compile(r"[a-z]+_(?P<nodes>\d+)node_(?P<where>[a-z]+\d{8})_(?P<region>[a-z]+\d)[a-z]?_(?P<type>.+)")
MACHINES = {  # as the files write a type -> as the price book names it
    "k80_1": "p2.xlarge",
    "k80_8": "p2.8xlarge",
    "k80_16": "p2.16xlarge",
    "v100_1": "p3.2xlarge",
    "v100_4": "p3.8xlarge",
    "v100_8": "p3.16xlarge",
    "t4_1": "g4dn.xlarge",
    "t4_4": "g4dn.12xlarge",
    "a100_8": "p4d.24xlarge",
    "c388": "c3-highcpu-88",
}
ASSUMED = {"intel_64": "c6i.16xlarge"}  # the files say 64 Intel processors and no type


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One file. `price` is spot over on-demand, `basis` where that is from; `units` are wanted throughout."""

    name: str
    region: str
    machine: str
    price: float
    basis: str
    units: int
    available: LoadHistory

    @property
    def share(self) -> float:
        """Part of the known time in which all units could be had."""
        known = self.available.values[np.isfinite(self.available.values)]
        return float((known >= self.units).mean())


def zones(folder: Path, book: PriceBook) -> Iterator[Zone]:
    """Every file of the folder that can be used; the others are named."""
    for path in csv_files(folder):
        try:
            available = read_availability(path)
        except TraceError as fault:
            print(f"skipped {path.name}: {fault}")
            continue
        yield _zone(name_of(path), available, book)


def _zone(name: str, available: LoadHistory, book: PriceBook) -> Zone:
    """One unit is wanted, or a quarter of the most that could ever be had."""
    parts = NAMED.fullmatch(name)
    written = parts["type"] if parts else ""
    price, basis = _price(written, book)
    many = f", {parts['nodes']} nodes" if parts and parts["nodes"] != "1" else ""
    return Zone(
        name=name,
        region=f"{parts['where']} {parts['region']} {written}{many}" if parts else name,
        machine=written or "unknown",
        price=price,
        basis=basis,
        units=max(1, int(np.nanmax(available.values)) // 4),
        available=available,
    )


def _price(written: str, book: PriceBook) -> tuple[float, str]:
    """Spot over on-demand of the type, in the region that the price book has; else the median of all types."""
    wanted = MACHINES.get(written) or ASSUMED.get(written)
    for offer in book.offers:
        if offer.instance_type == wanted and offer.spot is not None:
            how = ", assumed for it" if written in ASSUMED else ""
            return _ratio(offer), f"{offer.instance_type} in {offer.region}{how}"
    ratios = [_ratio(offer) for offer in book.offers if offer.spot is not None and offer.accelerator]
    return float(np.median(ratios)), "assumed: the median of the price book's accelerated types"


def _ratio(offer: InstanceOffer) -> float:
    return offer.spot.amount / offer.on_demand.amount if offer.spot is not None else 1.0
