"""`python -m monitor.quality`: the model-quality exporter."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime

import uvicorn
from prometheus_client import CollectorRegistry

from monitor.quality.app import create_app
from monitor.quality.windows import Sizes

WRONG_COMMAND_LINE = 2
_HELP = {
    "pairs": "labelled predictions that accuracy is over",
    "least_pairs": "fewest of them for an accuracy",
    "reference": "first predictions, which drift is measured against",
    "current": "newest predictions, whose drift is measured",
    "pending": "predictions that may wait for their label",
    "workloads": "models that are kept apart at most",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m monitor.quality", description="Export accuracy and drift.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8090, help="port to listen on (%(default)s)")
    for size in fields(Sizes):
        flag = f"--{size.name.replace('_', '-')}"
        parser.add_argument(flag, type=int, default=size.default, help=f"{_HELP[size.name]} (%(default)s)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 2 where the command line is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        sizes = Sizes(**{size.name: getattr(given, size.name) for size in fields(Sizes)})
    except ValueError as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)  # noqa: T201  a command line answers its user
        return WRONG_COMMAND_LINE
    app = create_app(sizes, CollectorRegistry(), lambda: datetime.now(UTC))
    uvicorn.run(app, host=given.host, port=given.port, log_level="warning", access_log=False, ws="none")
    return 0


if __name__ == "__main__":
    sys.exit(main())
