"""When an alert fires, from when its expression held: by hand, and as Prometheus itself has it."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import yaml

from rules.episodes import Span, fired
from tests.rules.fleet import accepted

MINUTE = timedelta(minutes=1)


def spans(pattern: str) -> list[Span]:
    """`..###.` as the ranges of its marks."""
    edges = [0, *(n for n, (a, b) in enumerate(pairwise(pattern), 1) if a != b), len(pattern)]
    return [(begin, end) for begin, end in pairwise(edges) if pattern[begin] == "#"]


@pytest.mark.parametrize(
    "held,wait,tail,firing",
    [
        ("..##..", 0, 0, "..##.."),
        ("..##..", 1, 0, "...#.."),
        ("..##..", 2, 0, "......"),  # two evaluations are one minute
        ("..##..", 0, 1, "..###."),
        ("..#.#.", 0, 2, "..####"),  # held again before it ended: one episode
        ("..#..#..", 0, 1, "..##.##."),  # held again when it just had: two
        ("..##.####.", 2, 0, ".......##."),  # what was pending begins anew
        ("######", 3, 0, "...###"),
        ("####", 0, 9, "####"),  # nothing is known after the last evaluation
    ],
)
def test_waiting_and_keeping_on(held: str, wait: int, tail: int, firing: str) -> None:
    found = fired(spans(held), len(held), MINUTE, wait * MINUTE, tail * MINUTE)
    assert "".join("#" if any(b <= n < e for b, e in found) else "." for n in range(len(held))) == firing


def test_a_step_that_does_not_divide_the_wait_rounds_it_up() -> None:
    assert fired([(0, 9)], 9, 2 * MINUTE, 3 * MINUTE, MINUTE) == [(2, 9)]


def test_prometheus_fires_at_the_same_evaluations(tmp_path: Path, prometheus_installed: None) -> None:
    """Random conditions over two hours, each with several waits and tails: promtool agrees on every minute."""
    rng, minutes = np.random.default_rng(3), 120
    waits_and_tails = [(0, 0), (0, 3), (2, 0), (2, 5), (5, 2)]
    patterns = ["".join("#" if on else "." for on in _switching(rng, minutes)) for _ in range(8)]
    rules = [
        {
            "alert": f"A{wait}x{tail}",
            "expr": "x == 1",
            "for": f"{wait}m",
            **({"keep_firing_for": f"{tail}m"} if tail else {}),
        }
        for wait, tail in waits_and_tails
    ]
    (tmp_path / "a.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "interval": "1m", "rules": rules}]}))
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": "x", "values": " ".join("1" if mark == "#" else "0" for mark in pattern)}],
            "alert_rule_test": [
                {
                    "eval_time": f"{minute}m",
                    "alertname": f"A{wait}x{tail}",
                    "exp_alerts": [{"exp_labels": {}}] if any(b <= minute < e for b, e in firing) else [],
                }
                for wait, tail in waits_and_tails
                for firing in [fired(spans(pattern), minutes, MINUTE, wait * MINUTE, tail * MINUTE)]
                for minute in range(minutes)
            ],
        }
        for pattern in patterns
    ]
    (tmp_path / "t.yml").write_text(
        yaml.safe_dump({"rule_files": ["a.yml"], "evaluation_interval": "1m", "tests": tests})
    )
    accepted("promtool", "test", "rules", tmp_path / "t.yml")


def _switching(rng: np.random.Generator, minutes: int) -> list[bool]:
    """On and off, each for a few minutes."""
    runs = rng.geometric(0.25, minutes)
    return [bool(n % 2) for n, run in enumerate(runs) for _ in range(run)][:minutes]
