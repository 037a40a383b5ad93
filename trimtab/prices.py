"""Where prices come from: the bundled book, and a user's own file that overrides and adds to it.

The bundled figures are CSV files beside this module (`pricebook/`), each row with its source and
date. A user's file names only what differs: machine types in CSV, or in YAML also commitments and
serverless tariffs.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path

from domain.prices import Commitment, InstanceOffer, Price, PriceBook, ServerlessTariff

Row = Mapping[str, str]


@cache
def bundled() -> PriceBook:
    """The price book that comes with Trimtab; read once, on first use."""
    dated = {row["id"]: (row["source"], _day(row["as_of"])) for row in _rows("sources.csv")}
    return PriceBook(
        offers=tuple(_offer(row, dated) for row in _rows("instances.csv")),
        commitments=tuple(_commitment(row, dated) for row in _rows("commitments.csv")),
        tariffs=tuple(_tariff(row, dated) for row in _rows("serverless.csv")),
    )


def with_user_prices(book: PriceBook, path: Path) -> PriceBook:
    """`book` with the prices of a user's CSV or YAML file over it; SettingsError if that is wrong."""
    from trimtab.userprices import load_user_prices  # noqa: PLC0415  only who has such a file pays for pydantic

    return overlaid(book, load_user_prices(path))


def overlaid(book: PriceBook, extra: PriceBook) -> PriceBook:
    """Every entry of both books; where both have the same one, that of `extra`."""
    return PriceBook(
        offers=tuple(({o.key: o for o in book.offers} | {o.key: o for o in extra.offers}).values()),
        commitments=tuple(({c.key: c for c in book.commitments} | {c.key: c for c in extra.commitments}).values()),
        tariffs=tuple(({t.key: t for t in book.tariffs} | {t.key: t for t in extra.tariffs}).values()),
        availability=(*book.availability, *extra.availability),
    )


def _rows(name: str) -> Iterable[Row]:
    with (files("trimtab") / "pricebook" / name).open(encoding="utf-8") as text:
        return list(csv.DictReader(text))


Dated = Mapping[str, tuple[str, date | None]]


def _offer(row: Row, dated: Dated) -> InstanceOffer:
    return InstanceOffer(
        cloud=row["cloud"],
        region=row["region"],
        instance_type=row["instance_type"],
        vcpus=float(row["vcpus"]),
        memory_gib=float(row["memory_gib"]),
        accelerator=row["accelerator"] or None,
        accelerator_count=int(row["accelerator_count"]),
        gpu_memory_gib=float(row["gpu_memory_gib"]),
        on_demand=_price(row["on_demand_usd_per_hour"], row["on_demand_source"], dated),
        spot=_price(row["spot_usd_per_hour"], row["spot_source"], dated) if row["spot_usd_per_hour"] else None,
        interruption_per_month=_optional(row["interruption_per_month"]),
        architecture=row["architecture"],
        burstable=row["burstable"] == "yes",
    )


def _commitment(row: Row, dated: Dated) -> Commitment:
    source, as_of = dated[row["source"]]
    return Commitment(
        cloud=row["cloud"],
        name=row["name"],
        term=timedelta(days=int(row["term_days"])),
        discount=float(row["discount"]),
        upfront_share=float(row["upfront_share"]),
        source=source,
        as_of=as_of,
    )


def _tariff(row: Row, dated: Dated) -> ServerlessTariff:
    source, as_of = dated[row["source"]]
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
        source=source,
        as_of=as_of,
        assumptions=row["assumptions"],
    )


def _price(amount: str, source_id: str, dated: Dated) -> Price:
    source, as_of = dated[source_id]
    return Price(amount=float(amount), source=source, as_of=as_of)


def _optional(text: str) -> float | None:
    return float(text) if text else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
