"""Seconds of the commands people wait for: help, replay, demonstration; with --all set-up from nothing and the tests too.

Set-up is timed in a fresh clone in a temporary folder. Everything is a whole process from the shell's view.

    python benchmarks/commands.py [--times 3] [--all] [--json OUT]
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ROOT, median_run, run, write_json

TRIMTAB = str(ROOT / ".venv" / "bin" / "trimtab")
TRACE = str(ROOT / "examples" / "traces" / "azfn_bd33.csv.gz")
MEAN_RPS_OF_TRACE = 40.0


def commands(times: int) -> list[tuple[str, Sequence[str], int, float]]:
    """Name, command, number of runs and the bound in seconds."""
    replay = [TRIMTAB, "replay", "--trace", TRACE, "--capacity", f"{MEAN_RPS_OF_TRACE / 10:g}"]
    return [
        ("trimtab --help", [TRIMTAB, "--help"], max(5, times), 0.5),
        ("trimtab replay, 14 days by the minute", replay, times, 60.0),
        ("make demo ARGS=--once", ["make", "demo", "ARGS=--once"], times, 120.0),
    ]


def setup_from_nothing() -> float:
    """Seconds of `make setup` in a fresh clone."""
    with tempfile.TemporaryDirectory() as name:
        clone = Path(name) / "trimtab"
        made = run(["git", "clone", "--quiet", str(ROOT), str(clone)])
        if made.code:
            raise SystemExit(made.stderr)
        environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        done = run(["make", "setup"], cwd=clone, env=environment)
        if done.code:
            raise SystemExit(done.stderr)
        return done.seconds


def main() -> None:
    """Run each command and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--all", action="store_true", help="also set-up from nothing and `make test`, once each")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [(name, median_run(command, times)[0], bound) for name, command, times, bound in commands(options.times)]
    if options.all:
        rows.append(("make setup, from nothing", setup_from_nothing(), 240.0))
        rows.append(("make test", median_run(["make", "test"], 1)[0], 480.0))
    for name, seconds, bound in rows:
        print(f"{name:40} {seconds:7.2f} s   bound {bound:g} s   {'held' if seconds <= bound else 'NOT held'}")
    write_json(options.json, {"seconds": {name: seconds for name, seconds, _ in rows}})


if __name__ == "__main__":
    main()
