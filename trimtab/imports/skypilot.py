"""SkyPilot's catalogue (`vms.csv` of skypilot-org/skypilot-catalog, schema v5 to v8): one row a type and zone.

Columns in any order: InstanceType, vCPUs, MemoryGiB, AcceleratorName, AcceleratorCount, GpuInfo, Price, SpotPrice,
Region, AvailabilityZone, Arch. What it does not say plainly, and what is made of that:
the cloud is the folder's name, not a column; zones of a region are folded into one, at the dearest spot price, so that the
price holds in each; on Google Cloud accelerators are priced apart, in rows without a type, and the rows of the
machines they belong to (a2, a3, a4, g2, g4) have only the rest of the price; fractions of an accelerator
(Azure's A10) say nothing about a whole one; prices may be empty, NaN or 0; GpuInfo is a Python literal whose
SizeInMiB holds GiB in some clouds (RunPod: 80). What a row does not say of size, accelerator or architecture is taken
from another row of its type, so that a zone is not left out (and its dearer spot with it) for want of a cell.
"""

from __future__ import annotations

import ast
import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from domain.errors import SettingsError
from trimtab.imports.result import Imported, LeftOut, Machine, Row, Sizes, number

NEEDED = ("InstanceType", "vCPUs", "MemoryGiB", "AcceleratorName", "AcceleratorCount", "Price", "SpotPrice", "Region")
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}
ACCELERATED = ("a2-", "a3-", "a4-", "a4x-", "g2-", "g4-", "ct")
NAMES = {"A100-80GB": "A100"}  # their size stands in a column of its own
LEAST_MIB = 1024.0  # less is GiB under the wrong name


def read(lines: Iterable[str], *, cloud: str, region: str | None, sizes: Sizes, file: str) -> Imported:
    """Machines of `cloud`, of one region where `region` is given. SettingsError where the file is no such list."""
    reader = csv.DictReader(lines)
    missing = [name for name in NEEDED if name not in (reader.fieldnames or ())]
    if missing:
        raise SettingsError(file, ", ".join(reader.fieldnames or ()), f"a SkyPilot list has a column {missing[0]}")
    found: dict[tuple[str, str], Machine] = {}
    left_out: list[LeftOut] = []
    outside = 0
    rows = [(reader.line_num, row) for row in reader]
    said = _said([row for _, row in rows])
    for line, bare in rows:
        row = _completed(bare, said)
        if region is not None and row["Region"] != region:
            outside += 1
            continue
        made = _machine(row, cloud, sizes)
        if isinstance(made, str):
            name = row["InstanceType"] or row["AcceleratorName"]
            left_out.append(
                LeftOut(line=line, name=f"{name} {row.get('AvailabilityZone') or row['Region']}", reason=made)
            )
        else:
            key = made.region, made.instance_type
            found[key] = _folded(found[key], made) if key in found else made
    return Imported(machines=tuple(found.values()), left_out=tuple(left_out), outside=outside)


def _machine(row: Row, cloud: str, sizes: Sizes) -> Machine | str:
    """The row as a machine, or why it is none."""
    name, usd = row["InstanceType"], number(row["Price"])
    vcpus, memory = number(row["vCPUs"]), number(row["MemoryGiB"])
    if not name:
        return "an accelerator that is attached to a machine priced elsewhere"
    if usd is None:
        return f"no price: Price is {row['Price']!r}"
    if vcpus is None or memory is None:
        return "no processors or no memory"
    known = sizes(cloud, name)
    architecture = ARCHITECTURES.get(row.get("Arch") or "", known.architecture if known else "amd64")
    if row.get("Arch") and row["Arch"] not in ARCHITECTURES:
        return f"an architecture that no image is built for: {row['Arch']}"
    accelerators = _accelerators(row, cloud, sizes)
    if isinstance(accelerators, str):
        return accelerators
    kind, count, gib = accelerators
    return Machine(
        cloud=cloud,
        region=row["Region"],
        instance_type=name,
        vcpus=vcpus,
        memory_gib=memory,
        architecture=architecture,
        burstable=known.burstable if known else False,
        accelerator=kind,
        accelerator_count=count,
        gpu_memory_gib=gib,
        on_demand_per_hour=usd,
        spot_per_hour=number(row["SpotPrice"]),
        note="" if known else "not in the price book: taken not to be burstable",
    )


def _accelerators(row: Row, cloud: str, sizes: Sizes) -> tuple[str | None, int, float] | str:
    """Kind, number and GiB of each; a reason where the row cannot say."""
    name = row["AcceleratorName"]
    if not name:
        if cloud == "gcp" and row["InstanceType"].startswith(ACCELERATED):
            return "a machine whose accelerators are priced apart"
        return None, 0, 0.0
    count = number(row["AcceleratorCount"])
    if count is None or count != int(count):
        return f"a fraction of an accelerator: {row['AcceleratorCount']} {name}"
    known = sizes(cloud, row["InstanceType"])
    gib = _gib(row.get("GpuInfo") or "") or (known.gpu_memory_gib if known and known.accelerator else None)
    if gib is None:
        return f"an accelerator of unknown memory: {name}"
    return NAMES.get(name, name), int(count), gib


def _gib(info: str) -> float | None:
    """Memory of one accelerator; None where GpuInfo does not say."""
    try:
        told = ast.literal_eval(info)
        mib = float(told["Gpus"][0]["MemoryInfo"]["SizeInMiB"])
    except (ValueError, SyntaxError, TypeError, KeyError, IndexError):
        return None
    return (mib if mib < LEAST_MIB else mib / 1024.0) or None


SAYS: Mapping[str, Callable[[str], object]] = {
    "vCPUs": number, "MemoryGiB": number, "AcceleratorName": str.strip, "AcceleratorCount": number, "GpuInfo": _gib,
    "Arch": str.strip,
}  # fmt: skip


def _said(rows: Sequence[Row]) -> Mapping[tuple[str, str], str]:
    """(type, column) -> the first cell of it that says something."""
    said: dict[tuple[str, str], str] = {}
    for row in rows:
        for column, reads in SAYS.items():
            if row["InstanceType"] and reads(row.get(column) or ""):
                said.setdefault((row["InstanceType"], column), row[column])
    return said


def _completed(row: Row, said: Mapping[tuple[str, str], str]) -> Row:
    """The row, with the cells that say nothing taken from other rows of its type."""
    found = {
        column: said.get((row["InstanceType"], column))
        for column, reads in SAYS.items()
        if not reads(row.get(column) or "")
    }
    return {**row, **{column: cell for column, cell in found.items() if cell is not None}}


def _folded(one: Machine, other: Machine) -> Machine:
    """Two zones of a region as one: the dearer price of each kind, and no spot where a zone has none."""
    spot = None
    if one.spot_per_hour is not None and other.spot_per_hour is not None:
        spot = max(one.spot_per_hour, other.spot_per_hour)
    return replace(one, on_demand_per_hour=max(one.on_demand_per_hour, other.on_demand_per_hour), spot_per_hour=spot)
