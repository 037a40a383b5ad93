"""What is learned of capacity where the truth is known: simulated queues, servers that change, prompts that weigh.

Three tables: the knee of simulated servers, each seed another day; how soon a change is found, and how often one is
told that was not; and the weight of a prompt token. Takes no traces: none of them has latency or replicas.

    python benchmarks/learning.py [--seeds 20] [--json OUT]
"""

from __future__ import annotations

import argparse
from datetime import timedelta
from pathlib import Path

import numpy as np

from benchmarks.made_up import BEGIN, changing, language_model, queue_observed
from benchmarks.measure import write_json
from benchmarks.queues import KINDS, Kind, knee_rps, simulated, tides
from domain.capacity import CapacityModel
from domain.load import Floats
from domain.observation import Observation
from domain.unknown import Unknown
from optimizer.capacity import CapacityOptions, CapacityStudy, UsualRequest, in_usual_requests, studied
from optimizer.capacity.drift import Drift

OPTIONS = CapacityOptions(resamples=2)  # intervals are not looked at here
TO_THE_KNEE, OVER_IT = "tides to the knee", "tides over it"
PATTERNS = (TO_THE_KNEE, OVER_IT, "jumps over it")
BEFORE, AFTER = 14, (2, 3, 5, 10)  # days before a change, and days after it at which it is looked for
CHANGES = {"25 % slower": 1.25, "50 % slower": 1.5, "12 % slower": 1.12, "20 % faster": 0.8}
STATIONARY = {  # days, by how much they differ, and how much of that is taken on to the next
    "14 days that differ by 5 %": (14, 0.05, 0.0),
    "14 days, 8 %": (14, 0.08, 0.0),
    "28 days, 8 %": (28, 0.08, 0.0),
    "10 days, 15 %": (10, 0.15, 0.0),
    "14 days, 8 %, each like the one before": (14, 0.08, 0.7),
}
WEIGHTS = (0.05, 0.15, 0.4, 1.0)


def study(seen: Observation) -> CapacityStudy:
    """What is learned of an observation."""
    return studied(in_usual_requests(seen, OPTIONS), OPTIONS)


def rates(kind: Kind, pattern: str, knee: float) -> Floats:
    """Offered requests/s: tides to a little over the knee, far over it, or jumps that leave out all that lies near it."""
    if pattern == TO_THE_KNEE:
        return tides(kind.quiet_rps, kind.busy_rps)
    if pattern == OVER_IT:
        return tides(kind.quiet_rps, kind.over_rps)
    jumps = np.tile(np.r_[np.full(6, kind.over_rps), np.full(30, kind.quiet_rps)], 20)
    return np.concatenate([tides(kind.quiet_rps, 0.5 * knee), jumps])


def knees(seeds: int) -> list[dict[str, object]]:
    """Learned over true knee of each simulated server: median, and the seeds furthest off."""
    rows: list[dict[str, object]] = []
    for name, kind in KINDS.items():
        knee = knee_rps(kind.server, kind.slo_s, 5, 75)
        for pattern in PATTERNS:
            seen = [simulated(rates(kind, pattern, knee), kind.server, seed) for seed in range(seeds)]
            for queue in (True, False):
                found = [study(queue_observed(each, kind.slo_s, queue=queue)).capacity for each in seen]
                ratios = [each.rate_rps / knee for each in found if isinstance(each, CapacityModel)]
                rows.append(
                    {
                        "server": name,
                        "load": pattern,
                        "queue": queue,
                        "knee_rps": knee,
                        "median": float(np.median(ratios)),
                        "least": min(ratios),
                        "most": max(ratios),
                    }
                )
    return rows


def found_in_time(drift: Drift | None) -> bool:
    """Whether the change after `BEFORE` days was found, and dated to a day."""
    return drift is not None and abs(drift.since - (BEGIN + timedelta(days=BEFORE))) <= timedelta(days=1)


def drifts(seeds: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Shares of seeds in which a change was found after so many days, and in which one was told that was none."""
    changes: list[dict[str, object]] = []
    for name, slower in CHANGES.items():
        row: dict[str, object] = {"change": name}
        for after in AFTER:
            told = [
                study(changing(seed, days=BEFORE + after, slower=slower, from_day=BEFORE)).learned.drift
                for seed in range(seeds)
            ]
            row[f"after_{after}"] = sum(map(found_in_time, told)) / seeds
        changes.append(row)
    alarms: list[dict[str, object]] = []
    for name, (days, noise, wander) in STATIONARY.items():
        told = [
            study(changing(seed, days=days, day_noise=noise, wander=wander)).learned.drift for seed in range(4 * seeds)
        ]
        alarms.append({"history": name, "histories": len(told), "alarms": sum(each is not None for each in told)})
    return changes, alarms


def tokens_a_request(seen: Observation, weight: float) -> float:
    """Mean tokens of a request at the true weight."""
    if isinstance(seen.tokens, Unknown) or isinstance(seen.load, Unknown):
        raise TypeError("made-up histories have load and tokens")
    prompt, generated = seen.tokens.prompt, seen.tokens.generated
    if isinstance(prompt, Unknown) or isinstance(generated, Unknown):
        raise TypeError("made-up histories have both kinds of tokens")
    return float((generated.values + weight * prompt.values).sum() / seen.load.values.sum())


def weights(seeds: int) -> list[dict[str, object]]:
    """Weights learned, and the learned capacity over the true one, both in mean requests/s."""
    rows: list[dict[str, object]] = []
    for weight in WEIGHTS:
        found, ratios = [], []
        for seed in range(seeds):
            seen, truth_tps = language_model(weight, seed)
            work = in_usual_requests(seen, OPTIONS)
            capacity = studied(work, OPTIONS).capacity
            if isinstance(capacity, CapacityModel) and isinstance(work.unit, UsualRequest):
                found.append(work.unit.weight)
                ratios.append(capacity.rate_rps / (truth_tps / tokens_a_request(seen, weight)))
        rows.append(
            {
                "weight": weight,
                "median": float(np.median(found)),
                "least": float(min(found)),
                "most": float(max(found)),
                "capacity": float(np.median(ratios)),
            }
        )
    return rows


def main() -> None:
    """Print the three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    print(f"{options.seeds} seeds each\n")
    print("| server | load | queue known | true knee, requests/s | learned / true: median | least | most |")
    print("|---|---|---|---:|---:|---:|---:|")
    found = knees(options.seeds)
    for row in found:
        print(
            f"| {row['server']} | {row['load']} | {'yes' if row['queue'] else 'no'} | {row['knee_rps']:.1f} "
            f"| {row['median']:.3f} | {row['least']:.3f} | {row['most']:.3f} |"
        )
    changes, alarms = drifts(options.seeds)
    print(f"\n| change after {BEFORE} days | " + " | ".join(f"found {after} days later" for after in AFTER) + " |")
    print("|---|" + "---:|" * len(AFTER))
    for row in changes:
        print(f"| {row['change']} | " + " | ".join(f"{row[f'after_{after}']:.0%}" for after in AFTER) + " |")
    print("\n| nothing changed | histories | told to have changed |\n|---|---:|---:|")
    for row in alarms:
        print(f"| {row['history']} | {row['histories']} | {row['alarms']} |")
    weighed = weights(options.seeds)
    print(
        "\n| true weight of a prompt token | learned: median | least | most | capacity / true |\n|---:|---:|---:|---:|---:|"
    )
    for row in weighed:
        print(
            f"| {row['weight']} | {row['median']:.3f} | {row['least']:.3f} | {row['most']:.3f} | {row['capacity']:.3f} |"
        )
    write_json(options.json, {"knees": found, "changes": changes, "alarms": alarms, "weights": weighed})


if __name__ == "__main__":
    main()
