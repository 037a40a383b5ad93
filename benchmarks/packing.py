"""Which models live together: cost over a proved bound, and the hosts that it saves.

The load is that of recorded fleets: files with a column for each of many functions, in arrivals an interval. Each
function stands for a model that is always loaded. Sizes are given by rule: a request takes two core-seconds, and
model number i (in the order of the columns) holds 0.5, 1, 2 or 4 GiB, as i modulo 4 says. A profile is the highest
interval of each twenty minutes; hosts are those of the bundled prices, filled to three quarters. What sharing is held
against is one host for each model: the cheapest that holds its peak, or as many as it takes.

`gap_to_bound` is the cost over a lower bound of the mixed-integer program, proved by linear programming.

    python benchmarks/packing.py [--traces DIR] [--models 200] [--json OUT]
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, csv_files, write_json
from domain.load import Floats, LoadHistory
from domain.prices import HOURS_PER_MONTH, PriceBook
from optimizer.machines import MachineOptions, suits
from optimizer.purchase import PurchaseOptions, Risk
from optimizer.sharing.arrays import Requests
from optimizer.sharing.options import SharingOptions
from optimizer.sharing.pool import Conditions, Housing, housed
from optimizer.sharing.tenant import Pool, Tenant
from trimtab.prices import bundled

FLEETS = ROOT / "examples" / "fleets"
MANY = 50  # columns from which a file is a fleet
CORE_S, GIB = 2.0, (0.5, 1.0, 2.0, 4.0)
SPAN = timedelta(minutes=20)
POOL = Pool("aws", "us-east-1", "amd64", "", "")
NEW = Risk(history=timedelta(0), startup=timedelta(minutes=1), budget=0.01)
MACHINES, SHARING = MachineOptions(), SharingOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fleet: `hosts` are shared ones and those of models that stay by themselves; USD are a month's, on demand."""

    fleet: str
    models: int
    hosts: int
    shared_hosts: int
    usd: float
    usd_one_each: float
    usd_bound: float
    seconds: float
    cpu_seconds: float

    @property
    def gap_to_bound(self) -> float:
        return self.usd / self.usd_bound - 1.0

    @property
    def hosts_saved(self) -> int:
        return self.models - self.hosts


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Arrivals in each interval, shape (models, intervals)."""

    name: str
    models: tuple[str, ...]
    arrivals: Floats
    step: timedelta

    def first(self, count: int) -> Fleet:
        return Fleet(name=self.name, models=self.models[:count], arrivals=self.arrivals[:count], step=self.step)


def read(path: Path) -> Fleet | str:
    """A fleet, or why the file is none."""
    unpacked = gzip.open if path.suffix == ".gz" else Path.open
    try:
        with unpacked(path, "rt", encoding="utf-8", newline="") as file:
            head, *rows = [row for row in csv.reader(file) if row] or [[""]]
    except (OSError, EOFError, UnicodeDecodeError) as fault:
        return f"it cannot be read: {fault}"
    if head[0] != "timestamp" or len(head) <= MANY or len(rows) < 2:
        return f"it has no column `timestamp` and {MANY} of load beside it"
    first, second = (datetime.fromisoformat(row[0]) for row in rows[:2])
    try:
        arrivals = np.array([row[1:] for row in rows], dtype=np.float64).T
    except ValueError as fault:
        return f"not every value is a number: {fault}"
    return Fleet(name=path.name.split(".")[0], models=tuple(head[1:]), arrivals=arrivals, step=second - first)


def tenants(fleet: Fleet, book: PriceBook) -> list[Tenant]:
    """The models as tenants, each with what a host of its own costs."""
    return list(_tenants(fleet, book))


def _tenants(fleet: Fleet, book: PriceBook) -> Iterator[Tenant]:
    every = max(1, SPAN // fleet.step)
    whole = fleet.arrivals.shape[1] // every * every
    cores = fleet.arrivals / fleet.step.total_seconds() * CORE_S
    spans = cores[:, :whole].reshape(len(cores), -1, every).max(axis=2)
    for number, name in enumerate(fleet.models):
        need = np.zeros((4, spans.shape[1]))
        need[0], need[1] = spans[number], GIB[number % len(GIB)]
        alone = one_host(need.max(axis=1), book)
        yield Tenant(
            workload=name,
            pool=POOL,
            parts=1,
            need=need,
            alone_usd=alone,
            most_usd=alone,
            stays_usd=alone,
            rate_rps=float(fleet.arrivals[number].mean() / fleet.step.total_seconds()),
            team=None,
            apart_from=frozenset(),
            risk=NEW,
            past=LoadHistory(start=datetime(2024, 1, 1, tzinfo=UTC), step=fleet.step, values=cores[number]),
            cores=1.0,
            accelerators=0.0,
        )


def one_host(peak: Floats, book: PriceBook) -> float:
    """USD a month of the cheapest machines of one type that hold a model by itself."""
    costs = [
        max(1.0, np.ceil(max(peak[0] / each.vcpus, peak[1] / each.memory_gib) / MACHINES.allocatable - 1e-9))
        * each.on_demand.amount
        for each in book.offers
        if (each.cloud, each.region) == POOL[:2] and suits(each, POOL.architecture, None, MACHINES)
    ]
    return float(min(costs)) * HOURS_PER_MONTH


def packed(models: Sequence[Tenant], book: PriceBook) -> Housing:
    """The models on hosts, as a recommendation would have them."""
    conditions = Conditions(
        book=book,
        machines=MACHINES,
        buying=PurchaseOptions(),
        sharing=SHARING,
        requests=Requests({}, sum(each.rate_rps for each in models)),
        min_saving_usd=0.0,
        min_saving_share=0.0,
    )
    return housed(models, [], conditions, afresh=True)


def row(fleet: Fleet, book: PriceBook) -> Row:
    """One fleet, packed."""
    models = tenants(fleet, book)
    begun, cpu = time.perf_counter(), time.process_time()
    housing = packed(models, book)
    seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu
    if housing.bound_usd is None:
        raise SystemExit(f"{fleet.name}: no bound was found")
    together = sum(len(host.tenants) for host in housing.hosts)
    return Row(
        fleet=fleet.name,
        models=len(models),
        hosts=len(housing.hosts) + len(models) - together,
        shared_hosts=len(housing.hosts),
        usd=housing.usd,
        usd_one_each=sum(each.alone_usd for each in models),
        usd_bound=housing.bound_usd,
        seconds=seconds,
        cpu_seconds=cpu_seconds,
    )


def table(rows: Sequence[Row]) -> str:
    """Markdown, a row for each fleet."""
    head = (
        "| fleet | models | hosts | of them shared | hosts saved | USD a month | one host each | bound | gap to bound | seconds | of the processor |\n"
        "|---|" + "---:|" * 10
    )
    lines = [
        f"| {each.fleet} | {each.models} | {each.hosts} | {each.shared_hosts} | {each.hosts_saved} | {each.usd:,.0f} "
        f"| {each.usd_one_each:,.0f} | {each.usd_bound:,.0f} | {each.gap_to_bound:.1%} | {each.seconds:.1f} | {each.cpu_seconds:.1f} |"
        for each in rows
    ]
    return "\n".join([head, *lines])


def fleets(folder: Path) -> list[Fleet]:
    """The fleets of a folder; files that are none are named."""
    found = [(path, read(path)) for path in csv_files(folder)]
    for path, fleet in found:
        if isinstance(fleet, str):
            print(f"skipped {path.name}: {fleet}", file=sys.stderr)
    return [fleet for _, fleet in found if isinstance(fleet, Fleet)]


def main(arguments: Sequence[str] | None = None) -> int:
    """Pack some models of each fleet and then all of them; 2 where there is no fleet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=FLEETS)
    parser.add_argument("--models", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    found = fleets(options.traces)
    if not found:
        print(
            f"packing.py: no fleet in {options.traces}: CSV files (gzip) with a column for each model", file=sys.stderr
        )
        return 2
    book, rows = bundled(), []
    packed(tenants(found[0].first(40), book), book)  # compiles what is compiled; no part of what is timed
    for fleet in found:
        sizes = sorted({min(options.models, len(fleet.models)), len(fleet.models)})
        rows += [row(fleet.first(size), book) for size in sizes]
    print(table(rows))
    write_json(
        options.json,
        {
            "fleets": [
                {**asdict(each), "gap_to_bound": each.gap_to_bound, "hosts_saved": each.hosts_saved} for each in rows
            ]
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
