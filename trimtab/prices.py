"""Where prices come from: the bundled book, and a user's own file that overrides and adds to it.

The bundled figures are CSV files beside this module (`pricebook/`), each row with its source, date and kind
of evidence. A user's file names only what differs: machine types in CSV, or in YAML also commitments,
serverless tariffs and cluster fees.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from domain.prices import (
    ClusterFee,
    Commitment,
    InstanceOffer,
    Price,
    PriceBook,
    ServerlessTariff,
    WarmRates,
)

Row = Mapping[str, str]


class Source(NamedTuple):
    """One row of `sources.csv`; its fields are those of every price that names it."""

    source: str
    as_of: date | None
    evidence: str


Sources = Mapping[str, Source]


@cache
def bundled() -> PriceBook:
    """The price book that comes with Trimtab; read once, on first use."""
    known = {row["id"]: Source(row["source"], _day(row["as_of"]), row["evidence"]) for row in _rows("sources.csv")}
    warm = {
        (row["cloud"], row["service"], row["region"]): _warm(row, known[row["source"]]) for row in _rows("warm.csv")
    }
    return PriceBook(
        offers=(
            *(_offer(row, known) for row in _rows("instances.csv")),
            *(task for row in _rows("tasks.csv") for task in _tasks(row, known[row["source"]])),
        ),
        commitments=tuple(_commitment(row, known[row["source"]]) for row in _rows("commitments.csv")),
        tariffs=tuple(_tariff(row, known[row["source"]], warm) for row in _rows("serverless.csv")),
        fees=tuple(_fee(row, known[row["source"]]) for row in _rows("fees.csv")),
    )


def overlaid(book: PriceBook, extra: PriceBook) -> PriceBook:
    """Every entry of both books; where both have the same one, that of `extra`."""
    return PriceBook(
        offers=tuple(({o.key: o for o in book.offers} | {o.key: o for o in extra.offers}).values()),
        commitments=tuple(({c.key: c for c in book.commitments} | {c.key: c for c in extra.commitments}).values()),
        tariffs=tuple(({t.key: t for t in book.tariffs} | {t.key: t for t in extra.tariffs}).values()),
        availability=(*book.availability, *extra.availability),
        fees=tuple(({f.key: f for f in book.fees} | {f.key: f for f in extra.fees}).values()),
    )


def _rows(name: str) -> Iterable[Row]:
    with (files("trimtab") / "pricebook" / name).open(encoding="utf-8") as text:
        return list(csv.DictReader(text))


def _offer(row: Row, known: Sources) -> InstanceOffer:
    return InstanceOffer(
        cloud=row["cloud"],
        region=row["region"],
        instance_type=row["instance_type"],
        vcpus=float(row["vcpus"]),
        memory_gib=float(row["memory_gib"]),
        accelerator=row["accelerator"] or None,
        accelerator_count=int(row["accelerator_count"]),
        gpu_memory_gib=float(row["gpu_memory_gib"]),
        on_demand=_price(row["on_demand_usd_per_hour"], known[row["on_demand_source"]]),
        spot=_price(row["spot_usd_per_hour"], known[row["spot_source"]]) if row["spot_usd_per_hour"] else None,
        interruption_per_month=_optional(row["interruption_per_month"]),
        architecture=row["architecture"],
        burstable=row["burstable"] == "yes",
    )


def _tasks(row: Row, source: Source) -> Iterator[InstanceOffer]:
    """Every size of a container that is sold by processors and memory."""
    vcpus, gib = float(row["vcpus"]), float(row["least_gib"])
    while gib <= float(row["most_gib"]):
        usd = vcpus * float(row["usd_per_vcpu_hour"]) + gib * float(row["usd_per_gib_hour"])
        yield InstanceOffer(
            cloud=row["cloud"],
            region=row["region"],
            instance_type=f"{row['service']}-{vcpus:g}vcpu-{gib:g}gib",
            vcpus=vcpus,
            memory_gib=gib,
            accelerator=None,
            accelerator_count=0,
            gpu_memory_gib=0.0,
            on_demand=_price(str(round(usd, 9)), source),
            spot=None,
            task=True,
        )
        gib += float(row["step_gib"])


def _commitment(row: Row, source: Source) -> Commitment:
    return Commitment(
        cloud=row["cloud"],
        name=row["name"],
        term=timedelta(days=int(row["term_days"])),
        discount=float(row["discount"]),
        upfront_share=float(row["upfront_share"]),
        **source._asdict(),
    )


def _tariff(row: Row, source: Source, warm: Mapping[tuple[str, str, str], WarmRates]) -> ServerlessTariff:
    return ServerlessTariff(
        cloud=row["cloud"],
        service=row["service"],
        region=row["region"],
        architecture=row["architecture"],
        usd_per_gib_second=_optional(row["usd_per_gib_second"]),
        usd_per_vcpu_second=_optional(row["usd_per_vcpu_second"]),
        usd_per_gpu_second=_optional(row["usd_per_gpu_second"]),
        usd_per_request=float(row["usd_per_request"]),
        increment=timedelta(seconds=float(row["increment_seconds"])),
        minimum=timedelta(seconds=float(row["minimum_seconds"])),
        min_vcpus=float(row["min_vcpus"]),
        max_vcpus=_optional(row["max_vcpus"]),
        min_memory_gib=float(row["min_memory_gib"]),
        max_memory_gib=float(row["max_memory_gib"]),
        gib_per_vcpu=_optional(row["gib_per_vcpu"]),
        max_duration=timedelta(seconds=float(row["max_duration_seconds"])),
        accelerator=row["accelerator"] or None,
        gpu_memory_gib=float(row["gpu_memory_gib"]),
        cold_start=timedelta(seconds=float(row["cold_start_seconds"])),
        keep_alive=timedelta(seconds=float(row["keep_alive_seconds"])),
        bills_idle=row["bills_idle"] == "yes",
        bills_cold_start=row["bills_cold_start"] == "yes",
        scales_to_zero=row["scales_to_zero"] == "yes",
        warm=warm.get((row["cloud"], row["service"], row["region"])),
        assumptions=row["assumptions"],
        **source._asdict(),
    )


def _warm(row: Row, source: Source) -> WarmRates:
    return WarmRates(
        usd_per_gib_second=float(row["usd_per_gib_second"]),
        usd_per_vcpu_second=float(row["usd_per_vcpu_second"]),
        usd_per_gpu_second=float(row["usd_per_gpu_second"]),
        serving_usd_per_gib_second=float(row["serving_usd_per_gib_second"]),
        serving_usd_per_vcpu_second=float(row["serving_usd_per_vcpu_second"]),
        serving_usd_per_gpu_second=float(row["serving_usd_per_gpu_second"]),
        increment=timedelta(seconds=float(row["increment_seconds"])),
        assumptions=row["assumptions"],
        **source._asdict(),
    )


def _fee(row: Row, source: Source) -> ClusterFee:
    return ClusterFee(
        cloud=row["cloud"],
        service=row["service"],
        region=row["region"],
        price=_price(row["usd_per_hour"], source),
    )


def _price(amount: str, source: Source) -> Price:
    return Price(amount=float(amount), **source._asdict())


def _optional(text: str) -> float | None:
    return float(text) if text else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
