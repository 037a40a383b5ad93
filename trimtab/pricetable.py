"""The price book as a person or a program reads it: filtered rows, as tables, JSON or CSV."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from domain.prices import ClusterFee, Commitment, InstanceOffer, Price, PriceBook, ServerlessTariff, age_on
from domain.unknown import Unknown

Row = Mapping[str, Any]
KINDS = ("machines", "tasks", "serverless", "commitments", "fees")
ORIGIN = ("age_days", "as_of", "evidence", "source", "exchange")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "machines": (
        "cloud", "region", "name", "vcpus", "memory_gib", "accelerator", "accelerator_count", "gpu_memory_gib",
        "on_demand_usd_per_hour", "spot_usd_per_hour", "interruption_per_month", *ORIGIN,
        "spot_age_days", "spot_as_of", "spot_evidence", "spot_source",
    ),
    "tasks": ("cloud", "region", "name", "vcpus", "memory_gib", "on_demand_usd_per_hour", *ORIGIN),
    "serverless": (
        "cloud", "region", "name", "accelerator", "gpu_memory_gib", "usd_per_gib_second", "usd_per_vcpu_second",
        "usd_per_gpu_second", "usd_per_request", "warm_usd_per_gib_second", "warm_usd_per_vcpu_second",
        "warm_usd_per_gpu_second", "cold_start_s", "keep_alive_s", *ORIGIN, "warm_source", "warm_as_of",
        "assumptions",
    ),
    "commitments": ("cloud", "name", "term_days", "discount", "upfront_share", *ORIGIN),
    "fees": ("cloud", "region", "name", "usd_per_hour", *ORIGIN),
}  # fmt: skip
SHOWN: Mapping[str, tuple[str, ...]] = {
    "machines": (
        "cloud", "region", "name", "vcpus", "memory_gib", "accelerators", "on_demand_usd_per_hour",
        "spot_usd_per_hour", "age_days", "spot_age_days", "evidence",
    ),
    "tasks": ("cloud", "region", "name", "on_demand_usd_per_hour", "age_days", "evidence"),
    "serverless": (
        "cloud", "region", "name", "accelerators", "usd_per_gib_hour", "usd_per_vcpu_hour", "usd_per_gpu_hour",
        "usd_per_million_requests", "kept_warm", "cold_start_s", "keep_alive_s", "age_days", "evidence",
    ),
    "commitments": ("cloud", "name", "term_days", "discount", "upfront_share", "age_days", "evidence"),
    "fees": ("cloud", "region", "name", "usd_per_hour", "age_days", "evidence"),
}  # fmt: skip
HEADINGS: Mapping[str, str] = {
    "memory_gib": "GiB",
    "on_demand_usd_per_hour": "USD/h",
    "spot_usd_per_hour": "spot USD/h",
    "usd_per_hour": "USD/h",
    "usd_per_gib_hour": "USD/GiB h",
    "usd_per_vcpu_hour": "USD/vCPU h",
    "usd_per_gpu_hour": "USD/GPU h",
    "usd_per_million_requests": "USD/1M req",
    "kept_warm": "warm",
    "cold_start_s": "start s",
    "keep_alive_s": "kept s",
    "age_days": "days old",
    "spot_age_days": "spot days old",
    "term_days": "term days",
    "upfront_share": "upfront",
}
HOUR_S = 3600.0
MILLION = 1e6
WIDE = 170  # where no terminal says how wide it is


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is shown; None is everything. A region also shows what is sold in any."""

    cloud: str | None = None
    region: str | None = None
    accelerator: str | None = None
    kind: str | None = None

    def takes(self, kind: str, row: Row) -> bool:
        """Whether a row is shown; names are compared without regard to case."""
        if self.kind not in (None, kind) or not _same(self.cloud, row["cloud"]):
            return False
        if self.region is not None and row.get("region", "any") != "any" and not _same(self.region, row["region"]):
            return False
        return self.accelerator is None or _same(self.accelerator, row.get("accelerator") or "")


def _same(asked: str | None, value: str) -> bool:
    return asked is None or asked.casefold() == value.casefold()


def rows_of(book: PriceBook, chosen: Filter, today: date) -> dict[str, list[Row]]:
    """The rows of each kind that are shown, kinds without any left out."""
    found = {kind: [row for row in rows if chosen.takes(kind, row)] for kind, rows in _all(book, today)}
    return {kind: rows for kind, rows in found.items() if rows}


def _all(book: PriceBook, today: date) -> Iterator[tuple[str, Iterator[Row]]]:
    for kind, task in (("machines", False), ("tasks", True)):
        yield kind, (_machine(each, today) for each in book.offers if each.task is task)
    yield "serverless", (_tariff(each, today) for each in book.tariffs)
    yield "commitments", (_commitment(each, today) for each in book.commitments)
    yield "fees", (_fee(each, today) for each in book.fees)


def _machine(offer: InstanceOffer, today: date) -> Row:
    spot: Row = {} if offer.spot is None else _origin(offer.spot, today)
    return {
        "cloud": offer.cloud,
        "region": offer.region,
        "name": offer.instance_type,
        "vcpus": offer.vcpus,
        "memory_gib": offer.memory_gib,
        "accelerator": offer.accelerator,
        "accelerator_count": offer.accelerator_count or None,
        "gpu_memory_gib": offer.gpu_memory_gib or None,
        "on_demand_usd_per_hour": offer.on_demand.amount,
        "spot_usd_per_hour": None if offer.spot is None else offer.spot.amount,
        "interruption_per_month": offer.interruption_per_month,
        **_origin(offer.on_demand, today),
        **{f"spot_{name}": value for name, value in spot.items() if name != "exchange"},
    }


def _tariff(tariff: ServerlessTariff, today: date) -> Row:
    warm = tariff.warm
    meters = ("usd_per_gib_second", "usd_per_vcpu_second", "usd_per_gpu_second")
    return {
        "cloud": tariff.cloud,
        "region": tariff.region,
        "name": tariff.service,
        "accelerator": tariff.accelerator,
        "gpu_memory_gib": tariff.gpu_memory_gib or None,
        **{name: getattr(tariff, name) for name in meters},
        "usd_per_request": tariff.usd_per_request or None,
        **{f"warm_{name}": getattr(warm, name) or None for name in meters if warm},
        "cold_start_s": tariff.cold_start.total_seconds(),
        "keep_alive_s": tariff.keep_alive.total_seconds(),
        **_origin(tariff, today),
        "warm_source": warm and warm.source,
        "warm_as_of": warm and warm.as_of and warm.as_of.isoformat(),
        "assumptions": tariff.assumptions or None,
    }


def _commitment(each: Commitment, today: date) -> Row:
    return {
        "cloud": each.cloud,
        "name": each.name,
        "term_days": each.term.days,
        "discount": each.discount,
        "upfront_share": each.upfront_share,
        **_origin(each, today),
    }


def _fee(each: ClusterFee, today: date) -> Row:
    return {
        "cloud": each.cloud,
        "region": each.region,
        "name": each.service,
        "usd_per_hour": each.price.amount,
        **_origin(each.price, today),
    }


def _origin(priced: Price | Commitment | ServerlessTariff, today: date) -> Row:
    """Where a figure is from, its age, and the rate at which it was exchanged (a discount never is)."""
    exchange = None if isinstance(priced, Commitment) else priced.exchange
    age = age_on(today, priced.as_of, None if exchange is None else exchange.as_of)
    return {
        "age_days": None if isinstance(age, Unknown) else age.days,
        "as_of": priced.as_of and priced.as_of.isoformat(),
        "evidence": priced.evidence,
        "source": priced.source,
        "exchange": exchange and str(exchange),
    }


def write(output: str, rows: Mapping[str, Sequence[Row]]) -> str:
    """The rows as `table`, `json` or `csv`."""
    if output == "json":
        return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
    if output == "csv":
        return _csv(rows)
    return _tables(rows)


def _csv(rows: Mapping[str, Sequence[Row]]) -> str:
    """One file: the columns of every kind shown, and first of which kind a row is."""
    columns = ["kind", *dict.fromkeys(name for kind in rows for name in COLUMNS[kind])]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="raise", lineterminator="\n")
    writer.writeheader()
    for kind, some in rows.items():
        writer.writerows({"kind": kind, **row} for row in some)
    return text.getvalue()


def _tables(rows: Mapping[str, Sequence[Row]]) -> str:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    wide = max(WIDE, shutil.get_terminal_size((WIDE, 24)).columns)
    printed = io.StringIO()
    screen = Console(file=printed, width=wide, force_terminal=sys.stdout.isatty(), highlight=False)
    for kind, some in rows.items():
        told = [_told(row) for row in some]
        shown = [name for name in SHOWN[kind] if any(row.get(name) is not None for row in told)]
        table = Table(title=f"{kind} ({len(some):,})", title_justify="left")
        for name in shown:
            words = any(isinstance(row.get(name), str) for row in told)
            table.add_column(HEADINGS.get(name, name), justify="left" if words else "right", no_wrap=True)
        for row in told:
            table.add_row(*(Text(_cell(name, row.get(name))) for name in shown))
        screen.print(table)
        screen.print(Text("\n".join(_sources(some))))
    return printed.getvalue()


def _told(row: Row) -> Row:
    """A row with what a table says in fewer columns."""
    count, gib = row.get("accelerator_count"), row.get("gpu_memory_gib")
    size = f" {gib:g} GiB" if gib else ""
    kind = row.get("accelerator") and f"{f'{count} x ' if count else ''}{row['accelerator']}{size}"
    told = {**row, "accelerators": kind, "kept_warm": "yes" if row.get("warm_source") else None}
    for meter in ("gib", "vcpu", "gpu"):
        rate = row.get(f"usd_per_{meter}_second")
        told[f"usd_per_{meter}_hour"] = None if rate is None else rate * HOUR_S
    fee = row.get("usd_per_request")
    return {**told, "usd_per_million_requests": None if fee is None else fee * MILLION}


def _sources(rows: Sequence[Row]) -> list[str]:
    """Where the figures are from, a line each."""
    named = [(row["source"], row["as_of"], row["exchange"]) for row in rows]
    named += [(row["spot_source"], row["spot_as_of"], None) for row in rows if row.get("spot_source")]
    named += [(row["warm_source"], row["warm_as_of"], None) for row in rows if row.get("warm_source")]
    found = [
        f"{source}{f', {as_of}' if as_of else ''}{f'; paid in {exchange}' if exchange else ''}"
        for source, as_of, exchange in dict.fromkeys(named)
    ]
    return ["sources:", *(f"  {line}" for line in found)]


def _cell(name: str, value: Any) -> str:
    if value is None:
        return "not known" if name in ("age_days", "as_of") else ""
    if name in ("discount", "interruption_per_month", "upfront_share"):
        return f"{value:.0%}"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
