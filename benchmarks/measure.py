"""What every benchmark shares: timing a command, the memory of its whole process tree, and one JSON shape."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("numpy", "scipy", "pandas", "statsmodels", "numba")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a command: wall-clock seconds, most memory its tree held at once, exit code, output."""

    seconds: float
    peak_mb: float
    code: int
    stdout: str
    stderr: str


def tree_rss_mb(pid: int) -> float:
    """Resident memory of a process and all that descend from it; ended ones count nothing (Linux only)."""
    total, waiting = 0.0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            pages = int(Path(f"/proc/{one}/statm").read_text().split()[1])
            children = Path(f"/proc/{one}/task/{one}/children").read_text().split()
        except (FileNotFoundError, ProcessLookupError, IndexError):
            continue
        total += pages * os.sysconf("SC_PAGE_SIZE") / 1e6
        waiting.extend(int(child) for child in children)
    return total


def run(command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Run:
    """Run to the end, sampling the memory of the tree five times a second."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=None if env is None else dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    peaks = [0.0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.2):
            peaks.append(tree_rss_mb(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    stdout, stderr = process.communicate()
    seconds = time.perf_counter() - begun
    done.set()
    watcher.join()
    return Run(seconds=seconds, peak_mb=max(peaks), code=process.returncode, stdout=stdout, stderr=stderr)


def median_run(command: Sequence[str], times: int, *, cwd: Path = ROOT) -> tuple[float, float, Run]:
    """Median seconds, largest memory and the last run of `times` runs; ends if one fails."""
    runs = [run(command, cwd=cwd) for _ in range(times)]
    failed = next((one for one in runs if one.code), None)
    if failed is not None:
        raise SystemExit(f"{' '.join(command)} ended with {failed.code}:\n{failed.stderr[-2000:]}")
    return statistics.median(one.seconds for one in runs), max(one.peak_mb for one in runs), runs[-1]


def csv_files(folder: Path) -> list[Path]:
    """The CSV files of a folder by name, packed (`.csv.gz`) or not; of two of one name the second is named and left out."""
    found: dict[str, Path] = {}
    for path in sorted(path for pattern in ("*.csv", "*.csv.gz") for path in folder.glob(pattern)):
        name = path.name.removesuffix(".gz").removesuffix(".csv")
        if name in found:
            print(f"skipped {path.name}: {found[name].name} has that name too", file=sys.stderr)
        else:
            found[name] = path
    return list(found.values())


def circumstances() -> dict[str, object]:
    """Command, versions, machine and date: what a figure means nothing without."""
    return {
        "command": " ".join(["python", *sys.argv]),
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "versions": {name: version(name) for name in PACKAGES},
    }


def write_json(path: Path | None, figures: Mapping[str, object]) -> None:
    """Write the figures with their circumstances, if a path was given."""
    if path is not None:
        path.write_text(json.dumps({**circumstances(), **figures}, indent=2) + "\n", encoding="utf-8")
