"""What an import makes of a foreign price list: rows of ours, and the rows that could not be used, each with its reason."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from domain.prices import InstanceOffer

Row = Mapping[str, str]
COLUMNS = (
    "cloud", "region", "instance_type", "vcpus", "memory_gib", "architecture", "burstable", "accelerator",
    "accelerator_count", "gpu_memory_gib", "on_demand_per_hour", "spot_per_hour", "source", "as_of",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine type of a foreign list; prices are in that list's currency.

    `note` says in the summary what was made of it, `taken` with the source how its price was read; `as_of` is the day
    that the list gives it, empty where it gives none.
    """

    cloud: str
    region: str
    instance_type: str
    vcpus: float
    memory_gib: float
    architecture: str
    burstable: bool
    accelerator: str | None
    accelerator_count: int
    gpu_memory_gib: float
    on_demand_per_hour: float
    spot_per_hour: float | None
    note: str = ""
    taken: str = ""
    as_of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A row that could not be used: where it stands in the file, what it names, why."""

    line: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A whole list; `outside` counts rows of regions that were not asked for."""

    machines: tuple[Machine, ...]
    left_out: tuple[LeftOut, ...]
    outside: int = 0

    def summary(self) -> str:
        """What was taken, and the reasons for which rows were not, the commonest first."""
        lines = [f"{_counted(len(self.machines), 'machine type')} taken"]
        if self.outside:
            lines.append(f"{_counted(self.outside, 'row')} of other regions")
        for reason, count in Counter(_kind(each.reason) for each in self.left_out).most_common():
            example = next(each for each in self.left_out if _kind(each.reason) == reason)
            lines.append(f"{_counted(count, 'row')} left out: {reason} (line {example.line}: {example.name})")
        noted = Counter(each.note for each in self.machines if each.note)
        lines += [f"{_counted(count, 'type')}: {note}" for note, count in noted.most_common()]
        return "\n".join(lines)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"


def _kind(reason: str) -> str:
    return reason.partition(":")[0]


Sizes = Callable[[str, str], InstanceOffer | None]
"""(cloud, instance type) -> a machine of that type in any region of the price book."""


def price_file(machines: Sequence[Machine], *, source: str, as_of: str, rate: Mapping[str, str]) -> str:
    """The machines as a CSV price file of ours; `as_of`, where given, stands for the days of the list.

    `rate` are the columns of `trimtab.usercurrency`, none for USD.
    """
    priced = {"on_demand_per_hour": "on_demand_usd_per_hour", "spot_per_hour": "spot_usd_per_hour"}
    names = [*COLUMNS, *rate] if rate else [priced.get(name, name) for name in COLUMNS]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    for each in sorted(machines, key=lambda one: (one.cloud, one.region, one.instance_type)):
        from_where = f"{source} ({each.taken})" if each.taken else source
        cells = {name: _cell(getattr(each, name, None)) for name in COLUMNS} | {"source": from_where}
        cells["as_of"] = as_of or each.as_of
        if not rate:
            cells = {priced.get(name, name): cell for name, cell in cells.items()}
        writer.writerow(cells | dict(rate))
    return text.getvalue()


def left_out_file(left_out: Sequence[LeftOut]) -> str:
    """The rows that could not be used, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("line", "name", "reason"))
    writer.writerows((each.line, each.name, each.reason) for each in left_out)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def number(text: str | None) -> float | None:
    """A price or size; None for an empty cell, NaN, 0 or what is no number."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None
