"""Spot on real availability: what the policy saves and misses against on-demand, SkyServe's rule and hindsight.

One unit is wanted throughout, or a quarter of the most that could ever be had; a start-up takes 300 s, and a
machine is taken back without notice. A step is that of the file: what happens in it is acted on at its end. Every
policy begins all on demand and knowing nothing; everything is scored from the first step. The whole
budget for what spot may lose is 0.5 % of the units wanted.

Equal misses: SkyServe's rule is run with every extra of 0 to 4 spot units and every on-demand base; what it
costs at our misses is the lower envelope of all those and of on-demand alone, mixtures of any two over time
included, so it is tuned in hindsight, and ours is not.

    python benchmarks/purchase.py --traces DIR [--react S] [--notice S] [--leave-out] [--json OUT] [--markdown OUT]
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.hindsight import bound
from benchmarks.measure import write_json
from benchmarks.spot_zones import Zone, zones
from benchmarks.spothedge import Point, at_misses, points, spothedge
from domain.load import LoadHistory
from domain.prices import SpotHistory
from domain.unknown import Unknown
from optimizer.physics import Counts
from optimizer.spot import SpotPrior, SpotProblem, hold, proof_of
from trimtab.prices import bundled

STARTUP = timedelta(seconds=300)
BUDGET = 0.005
BUDGETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05)
EVER = timedelta(days=36500)
NEEDED = "purchase.py needs a folder of recorded spot availability: --traces DIR (CSV files with timestamp,value)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One zone. Costs are over all on demand; `sky_cost` is SkyServe's at our misses, `plain_*` its rule as it stands."""

    zone: str
    region: str
    price: float
    basis: str
    days: float
    step_s: float
    units: int
    available: float
    cost: float
    extra_miss: float
    sky_cost: float
    plain_cost: float
    plain_miss: float
    hindsight: float
    answer: str

    @property
    def saving(self) -> float:
        return 1.0 - self.cost

    @property
    def cheaper(self) -> bool:
        """Whether SkyServe's rule costs more at the same misses."""
        return self.cost < self.sky_cost - 1e-9

    @property
    def earned(self) -> float | None:
        """Share of the saving that hindsight could have had; None where there was none to be had."""
        return self.saving / (1.0 - self.hindsight) if self.hindsight < 1.0 - 1e-9 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A zone as it is replayed: its problem, what is wanted, and SkyServe's points."""

    zone: Zone
    problem: SpotProblem
    wanted: Counts
    sky: Sequence[Point]

    @classmethod
    def of(cls, zone: Zone, notice: timedelta) -> Scene:
        problem = SpotProblem(startup=STARTUP, price=zone.price, budget=BUDGET, notice=notice)
        wanted = np.full(len(zone.available), zone.units, dtype=np.int64)
        return cls(zone=zone, problem=problem, wanted=wanted, sky=points(zone.available, wanted, problem))

    def ours(self, budget: float = BUDGET, prior: SpotPrior | None = None) -> tuple[float, float]:
        """Cost and misses of our policy."""
        problem = replace(self.problem, budget=budget, prior=prior or self.problem.prior)
        run = hold(self.zone.available, self.wanted, problem)
        return 1.0 - run.saving(self.zone.price), run.missed_share

    def answer(self, budget: float = BUDGET) -> str:
        """What the history as a whole speaks for, as a recommendation made at its end would say."""
        zone = self.zone
        history = SpotHistory(cloud="", zone=zone.name, instance_type="", available=zone.available, source="")
        problem = replace(self.problem, budget=budget)
        proof = proof_of(history, problem, at=zone.available.end, oldest=EVER)
        if isinstance(proof, Unknown):
            return f"on demand: {proof.reason}"
        why = proof.refused[zone.units] if len(proof.refused) > zone.units else "none could ever be had"
        return f"on demand: {why}" if why else "spot"


def row(scene: Scene) -> Row:
    """Everything about one zone."""
    zone, (cost, missed) = scene.zone, scene.ours()
    plain = spothedge(zone.available, scene.wanted, scene.problem, extra=0, base=0)
    return Row(
        zone=zone.name,
        region=zone.region,
        price=zone.price,
        basis=zone.basis,
        days=len(zone.available) * zone.available.step / timedelta(days=1),
        step_s=zone.available.step_s,
        units=zone.units,
        available=zone.share,
        cost=cost,
        extra_miss=missed,
        sky_cost=at_misses(scene.sky, missed),
        plain_cost=1.0 - plain.saving(zone.price),
        plain_miss=plain.missed_share,
        hindsight=bound(zone.available, zone.units, scene.problem),
        answer=scene.answer(),
    )


def finer(zone: Zone, react: timedelta) -> Zone:
    """The zone in steps of at most `react`: availability stays what it was last seen to be, action comes sooner."""
    times = max(1, -(-zone.available.step // react))
    values = np.repeat(zone.available.values, times)
    grid = LoadHistory(start=zone.available.start, step=zone.available.step / times, values=values)
    return replace(zone, available=grid)


def table(rows: Sequence[Row]) -> list[str]:
    """A line a zone."""
    head = (
        "| zone | days | step s | spot / on-demand | units | could be had | cost | extra miss | SkyServe at the same misses | "
        "SkyServe as it stands: cost, miss | hindsight | earned | answer |"
    )
    lines = [
        f"| {r.zone} | {r.days:.1f} | {r.step_s:.0f} | {r.price:.2f} | {r.units} | {r.available:.0%} | {r.cost:.3f} | "
        f"{r.extra_miss:.3%} | {r.sky_cost:.3f} | {r.plain_cost:.3f}, {r.plain_miss:.2%} | {r.hindsight:.3f} | "
        f"{_percent(r.earned)} | {r.answer} |"
        for r in rows
    ]
    return [head, "|---" * head.count(" | ") + "|---|", *lines]


def by_region(rows: Sequence[Row]) -> list[dict[str, object]]:
    """Means over the zones of each region, each zone with units of its own."""
    found = []
    for region in dict.fromkeys(r.region for r in rows):
        own = [r for r in rows if r.region == region]
        cost, hindsight = (float(np.mean([getattr(r, name) for r in own])) for name in ("cost", "hindsight"))
        found.append(
            {
                "region": region,
                "zones": len(own),
                "cost": cost,
                "extra_miss": float(np.mean([r.extra_miss for r in own])),
                "sky_cost": float(np.mean([r.sky_cost for r in own])),
                "hindsight": hindsight,
                "earned": (1.0 - cost) / (1.0 - hindsight) if hindsight < 1.0 - 1e-9 else None,
            }
        )
    return found


def sweep(scenes: Sequence[Scene]) -> list[dict[str, float]]:
    """The trade-off: what each budget for losses buys, and in how many zones spot is refused at it."""
    found = []
    for budget in BUDGETS:
        pairs = [scene.ours(budget) for scene in scenes]
        sky = [at_misses(scene.sky, missed) for scene, (_, missed) in zip(scenes, pairs, strict=True)]
        found.append(
            {
                "budget": budget,
                "saving": 1.0 - float(np.mean([cost for cost, _ in pairs])),
                "sky_saving": 1.0 - float(np.mean(sky)),
                "extra_miss": float(max(missed for _, missed in pairs)),
                "cheaper": sum(cost < other - 1e-9 for (cost, _), other in zip(pairs, sky, strict=True)),
                "refused": sum(scene.answer(budget) != "spot" for scene in scenes),
            }
        )
    return found


def left_out(scenes: Sequence[Scene]) -> dict[str, object]:
    """Priors chosen on all other regions, scored on the one left out; and the worst and best of them for all."""
    grid = [
        SpotPrior(runs=runs, caution=caution, ahead=timedelta(days=days))
        for runs, caution, days in product((3.0, 6.0, 12.0), (0.5, 0.7, 1.0), (3, 7, 14))
    ]
    pairs = np.array([[scene.ours(prior=prior) for prior in grid] for scene in scenes])
    costs, regions = pairs[:, :, 0], np.array([scene.zone.region for scene in scenes])
    chosen = []
    for i, region in enumerate(regions):
        others = costs[regions != region] if (regions != region).any() else costs
        chosen.append(pairs[i, int(others.mean(axis=0).argmin())])
    cheaper = [cost < at_misses(scene.sky, missed) - 1e-9 for scene, (cost, missed) in zip(scenes, chosen, strict=True)]
    return {
        "priors": len(grid),
        "saving_left_out": 1.0 - float(np.mean([cost for cost, _ in chosen])),
        "extra_miss_left_out": float(max(missed for _, missed in chosen)),
        "cheaper_than_skyserve_left_out": sum(cheaper) / len(cheaper),
        "saving_worst_prior": 1.0 - float(costs.mean(axis=0).max()),
        "saving_best_prior": 1.0 - float(costs.mean(axis=0).min()),
    }


def summary(rows: Sequence[Row]) -> dict[str, object]:
    """The figures of all zones, each zone counting once."""
    return {
        "zones": len(rows),
        "saving": float(np.mean([r.saving for r in rows])),
        "extra_miss": max(r.extra_miss for r in rows),
        "extra_miss_mean": float(np.mean([r.extra_miss for r in rows])),
        "dearest": max(r.cost for r in rows),
        "sky_saving_at_same_misses": 1.0 - float(np.mean([r.sky_cost for r in rows])),
        "cheaper_than_skyserve": sum(r.cheaper for r in rows) / len(rows),
        "hindsight_saving": 1.0 - float(np.mean([r.hindsight for r in rows])),
        "refused": sum(r.answer != "spot" for r in rows),
    }


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _regions_table(regions: Sequence[Mapping[str, object]]) -> list[str]:
    lines = [
        "| region | zones | cost | extra miss | SkyServe at the same misses | hindsight | earned |",
        "|---" * 7 + "|",
    ]
    for one in regions:
        earned = one["earned"] if isinstance(one["earned"], float) else None
        lines.append(
            f"| {one['region']} | {one['zones']} | {one['cost']:.3f} | {one['extra_miss']:.3%} | {one['sky_cost']:.3f} | "
            f"{one['hindsight']:.3f} | {_percent(earned)} |"
        )
    return lines


def _sweep_table(lines: Sequence[Mapping[str, float]], zone_count: int) -> list[str]:
    head = "| budget | saving | SkyServe at the same misses | worst extra miss | cheaper than SkyServe | refused |"
    return [
        head,
        "|---" * 6 + "|",
        *(
            f"| {one['budget']:.2%} | {one['saving']:.1%} | {one['sky_saving']:.1%} | {one['extra_miss']:.3%} | "
            f"{one['cheaper']:.0f} of {zone_count} | {one['refused']:.0f} |"
            for one in lines
        ),
    ]


def main() -> int:
    """Print the tables; 2 where there is nothing to replay."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path)
    parser.add_argument(
        "--react", type=float, help="act within so many seconds, not only at the end of the file's step"
    )
    parser.add_argument("--notice", type=float, default=0.0, help="seconds a machine serves on when it is taken back")
    parser.add_argument("--leave-out", action="store_true", help="also choose the prior on the other regions")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    if options.traces is None or not options.traces.is_dir():
        print(NEEDED, file=sys.stderr)
        return 2
    found = list(zones(options.traces, bundled()))
    if options.react is not None:
        found = [finer(zone, timedelta(seconds=options.react)) for zone in found]
    scenes = [Scene.of(zone, timedelta(seconds=options.notice)) for zone in found]
    if not scenes:
        print(f"{options.traces} has no file that can be used; {NEEDED}", file=sys.stderr)
        return 2
    rows = [row(scene) for scene in scenes]
    regions, budgets, figures = by_region(rows), sweep(scenes), summary(rows)
    parts = [table(rows), _regions_table(regions), _sweep_table(budgets, len(rows))]
    extra = {"left_out": left_out(scenes)} if options.leave_out else {}
    text = "\n\n".join("\n".join(part) for part in parts)
    prices = sorted({f"{r.price:.3f} ({r.basis})" for r in rows})
    print(text)
    print("\nspot / on-demand: " + "; ".join(prices))
    for name, value in {**figures, **extra.get("left_out", {})}.items():
        print(f"{name}: {value:.4f}" if isinstance(value, float) else f"{name}: {value}")
    if options.markdown is not None:
        options.markdown.write_text(text + "\n", encoding="utf-8")
    write_json(
        options.json,
        {
            **figures,
            **extra,
            "zone_rows": [asdict(r) | {"saving": r.saving, "earned": r.earned} for r in rows],
            "regions": regions,
            "budgets": budgets,
        },
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
