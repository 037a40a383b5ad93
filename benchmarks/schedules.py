"""A week's schedule that serves alone against the policy that follows the load: replica-hours and misses of both.

Schedules are drawn up anew each week from what was seen before it; both are replayed by the same physics.
Capacity is a tenth of the mean load, warm-up seven days; the attainment asked for is that of
`benchmarks/policies.py`. Traces that cannot be used are named and skipped.

    python benchmarks/schedules.py [--traces DIR] [--json OUT] [--markdown OUT]
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.measure import ROOT, write_json
from benchmarks.policies import ATTAINMENTS, OTHERWISE, capacity_of
from benchmarks.promises import usable
from domain.load import LoadHistory
from optimizer.replay import replay
from optimizer.scaling import ScalingProblem

WARMUP = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Mean replicas and missed shares of the schedule alone and of the policy."""

    trace: str
    attainment: float
    schedule_replicas: float
    schedule_missed: float
    policy_replicas: float
    policy_missed: float
    how: str

    @property
    def met(self) -> bool:
        """Whether the schedule alone held the SLO."""
        return self.schedule_missed <= 1.0 - self.attainment


def pair(name: str, history: LoadHistory) -> Pair | None:
    """Both policies on one trace; None where the warm-up leaves too little, which is said."""
    attainment = ATTAINMENTS.get(name, OTHERWISE)
    problem = ScalingProblem(capacity_rps=capacity_of(history), attainment=attainment, learning=WARMUP)
    done = replay(history, problem, warmup=WARMUP, usd_per_replica_hour=1.0, policies=("schedule", "trimtab"))
    alone, live = done.rows
    if None in {alone.mean_replicas, alone.missed_share, live.mean_replicas, live.missed_share}:
        return None
    return Pair(
        trace=name,
        attainment=attainment,
        schedule_replicas=alone.mean_replicas or 0.0,
        schedule_missed=alone.missed_share or 0.0,
        policy_replicas=live.mean_replicas or 0.0,
        policy_missed=live.missed_share or 0.0,
        how=alone.detail.partition("last: ")[2],
    )


def main() -> None:
    """Print the table and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path, default=ROOT / "examples" / "traces")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    lines = [
        "| trace | attainment | schedule: mean replicas | missed | SLO | policy: mean replicas | missed | schedule / policy | drawn up from |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    done = [made for name, history in usable(options.traces) if (made := pair(name, history)) is not None]
    lines += [
        f"| {one.trace} | {one.attainment:.1%} | {one.schedule_replicas:.1f} | {one.schedule_missed:.3%} | {'met' if one.met else 'missed'} | "
        f"{one.policy_replicas:.1f} | {one.policy_missed:.3%} | {one.schedule_replicas / one.policy_replicas:.2f} | {one.how} |"
        for one in done
    ]
    ratios = [one.schedule_replicas / one.policy_replicas for one in done if one.met]
    summary = {
        "traces": len(done),
        "slo_met": len(ratios),
        "cost_over_policy": float(np.exp(np.mean(np.log(ratios)))) if ratios else None,
    }
    print("\n".join(lines))
    there = f"; there it costs {summary['cost_over_policy']:.2f} times the policy (geometric mean)" if ratios else ""
    print(f"SLO met by the schedule alone on {len(ratios)} of {len(done)}{there}")
    if options.markdown is not None:
        options.markdown.write_text("\n".join(lines) + "\n", encoding="utf-8")
    write_json(options.json, {"summary": summary, "traces": [asdict(one) | {"met": one.met} for one in done]})


if __name__ == "__main__":
    main()
