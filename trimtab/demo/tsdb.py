"""A Prometheus data folder that already holds weeks of history, recorded series included.

The text becomes blocks before the server starts (blocks added later show up only after a minute),
then a passing server lends its query engine to `promtool ... rules`, whose blocks join the folder.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from trimtab.demo.processes import Child, Processes, executable, free_port

# Longest block promtool may make: one file is read once, not once per two hours of history.
WHOLE_HISTORY = "744h"
# The rule importer asks for one block's span at a time; 168 h at 60 s stays under 11,000 points.
ONE_QUERY = "168h"


def write_text(lines: Iterable[str], file: Path) -> None:
    """Write the exposition, a line at a time."""
    with file.open("w", encoding="utf-8") as sink:
        sink.writelines(f"{line}\n" for line in lines)


def blocks_from_text(processes: Processes, text: Path, data: Path) -> None:
    """Turn OpenMetrics text into blocks under `data`."""
    arguments = ["openmetrics", "-q", str(text), str(data)]
    processes.finish("promtool", [*_create_blocks(WHOLE_HISTORY), *arguments])


def blocks_from_rules(
    processes: Processes, url: str, rules: Sequence[Path], data: Path, *, start_s: float, end_s: float
) -> None:
    """Evaluate recording rules over the past, a file a process, and put the result under `data`."""
    span = ["--url", url, "--start", f"{start_s:.0f}", "--end", f"{end_s:.0f}", "--eval-interval", "60s"]
    made = {path: data.parent / f"recorded-{i}" for i, path in enumerate(rules)}
    commands = [
        [*_create_blocks(ONE_QUERY), "rules", *span, "--output-dir", str(folder), str(path)]
        for path, folder in made.items()
    ]
    processes.finish("promtool", *commands)
    for folder in made.values():
        for block in folder.iterdir():
            shutil.move(str(block), data / block.name)


def _create_blocks(longest: str) -> list[str]:
    return [executable("promtool"), "tsdb", "create-blocks-from", f"--max-block-duration={longest}"]


def start_prometheus(processes: Processes, config: Path, data: Path, port: int, *, name: str = "prometheus") -> Child:
    """A server on loopback that keeps old blocks (the default retention would delete them at start)."""
    child = processes.start(
        name,
        [
            executable("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=10y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--web.enable-lifecycle",
        ],
    )
    processes.wait_ready(child, f"http://127.0.0.1:{port}/-/ready")
    return child


def backfill(
    processes: Processes, lines: Iterable[str], rules: Sequence[Path], folder: Path, *, start_s: float, end_s: float
) -> Path:
    """The data folder for a server that has seen everything in `lines` and recorded `rules` all along."""
    text, data, config = folder / "history.om", folder / "data", folder / "empty.yml"
    write_text(lines, text)
    blocks_from_text(processes, text, data)
    text.unlink()
    config.write_text("global: {}\n", encoding="utf-8")
    port = free_port()
    passing = start_prometheus(processes, config, data, port, name="prometheus-backfill")
    blocks_from_rules(processes, f"http://127.0.0.1:{port}", rules, data, start_s=start_s, end_s=end_s)
    processes.stop(passing)
    return data
