"""OpenCost's pricing CSV (its `CSV_PATH`): one row an asset, matched to machine types whose sizes the price book knows.

Columns EndTimestamp, InstanceID, Region, AssetClass, InstanceIDField, InstanceType, MarketPriceHourly, Version
(pkg/cloud/provider/csvprovider.go). The file names neither cloud nor currency nor processors, and one price that may be
anything paid: it is taken for on demand, which its source says. EndTimestamp is the day of a price. Rows may price a single machine (by provider id); those of
one type and region have to agree, else the dearest is taken and that is said.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from domain.errors import SettingsError
from trimtab.imports.result import Imported, LeftOut, Machine, Row, Sizes, number

NEEDED = ("InstanceID", "Region", "AssetClass", "InstanceType", "MarketPriceHourly")
ONE_PRICE = "one price, taken for on demand"
SEVERAL = "several machines of the type have different prices, the dearest is taken"
ASSETS = {"pv": "a volume", "gpu": "an accelerator apart from its machine"}


def read(lines: Iterable[str], *, cloud: str, region: str | None, sizes: Sizes, file: str) -> Imported:
    """Machines of `cloud`, of one region where `region` is given. SettingsError where the file is no such list."""
    reader = csv.DictReader(lines)
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(file, ", ".join(reader.fieldnames or ()), f"an OpenCost list has a column {missing[0]}")
    found: dict[tuple[str, str], Machine] = {}
    left_out: list[LeftOut] = []
    outside = 0
    for row in reader:
        name = (row["InstanceType"] or row["InstanceID"] or "").strip()
        if region is not None and row["Region"] and row["Region"] != region:
            outside += 1
            continue
        made = _machine(row, cloud, region, name, sizes)
        if isinstance(made, str):
            left_out.append(LeftOut(line=reader.line_num, name=name, reason=made))
        else:
            _take(found, made)
    return Imported(machines=tuple(found.values()), left_out=tuple(left_out), outside=outside)


def _machine(row: Row, cloud: str, region: str | None, name: str, sizes: Sizes) -> Machine | str:
    """The row as a machine, or why it is none."""
    if row["InstanceID"].startswith("#"):
        return "a comment"
    asset = row["AssetClass"].strip()
    if asset != "node":
        return f"prices {ASSETS.get(asset, 'an unknown class of asset')}: {asset or 'no AssetClass'}"
    usd, where = number(row["MarketPriceHourly"]), row["Region"] or region
    if usd is None:
        return f"no price: MarketPriceHourly is {row['MarketPriceHourly']!r}"
    if not where:
        return "no region: name one with --region"
    known = sizes(cloud, name)
    if known is None:
        return f"a type whose processors and memory the price book does not know: {name}"
    return Machine(
        cloud=cloud,
        region=where,
        instance_type=known.instance_type,
        vcpus=known.vcpus,
        memory_gib=known.memory_gib,
        architecture=known.architecture,
        burstable=known.burstable,
        accelerator=known.accelerator,
        accelerator_count=known.accelerator_count,
        gpu_memory_gib=known.gpu_memory_gib,
        on_demand_per_hour=usd,
        spot_per_hour=None,
        taken=ONE_PRICE,
        as_of=_day(row.get("EndTimestamp") or ""),
    )


def _day(text: str) -> str:
    """The day of `2026-10-01 00:00:00 UTC`; empty where there is none."""
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""


def _take(found: dict[tuple[str, str], Machine], made: Machine) -> None:
    """Keeps the dearest of several prices for one type and region, and the latest day of the same one."""
    key = made.region, made.instance_type
    before = found.get(key)
    if before is None or before.on_demand_per_hour == made.on_demand_per_hour:
        found[key] = made if before is None else replace(before, as_of=max(before.as_of, made.as_of))
        return
    dearer = max(before, made, key=lambda each: each.on_demand_per_hour)
    found[key] = replace(dearer, note=SEVERAL, taken=f"{ONE_PRICE}, the dearest of several")
