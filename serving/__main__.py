"""`python -m serving`: serve a folder of ONNX models."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from prometheus_client import CollectorRegistry, disable_created_metrics

from serving.app import create_app
from serving.server import DrainingServer, process_began_s
from serving.settings import Settings, bundled_models
from serving.state import Clocks

WRONG_COMMAND_LINE = 2
MOST_PORT = 65535


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving", description="Serve ONNX models over HTTP, with metrics.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=port, default=8080, help="port to listen on (%(default)s)")
    add("--models", type=Path, default=bundled_models(), help="folder of NAME/VERSION/model.onnx (the bundled digits)")
    add("--service", default="serving", help="value of the metrics' label 'service' (%(default)s)")
    add("--workers", type=int, default=2, help="inferences that run at once (%(default)s)")
    add("--threads", type=int, default=1, help="threads of onnxruntime for one inference (%(default)s)")
    add("--max-waiting", type=int, default=1000, help="requests that may wait; more get 503 (%(default)s)")
    add(
        "--service-time-ms",
        type=float,
        default=0.0,
        help="for load tests: stretch every inference to this long, so that WORKERS / TIME is the capacity (%(default)s)",
    )
    add("--drain-seconds", type=float, default=5.0, help="time between SIGTERM and the end, not ready (%(default)s)")
    add("--log-level", default="warning", choices=["critical", "error", "warning", "info", "debug"])
    return parser


def port(text: str) -> int:
    """The number of a port; the error that argparse shows otherwise."""
    number = int(text)
    if not 0 <= number <= MOST_PORT:
        raise argparse.ArgumentTypeError(f"{number} is no port; give 0 to {MOST_PORT}")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to stop; 2 where the command line is wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        settings = Settings(
            models=given.models,
            service=given.service,
            workers=given.workers,
            threads=given.threads,
            max_waiting=given.max_waiting,
            service_time=timedelta(milliseconds=given.service_time_ms),
        )
    except ValueError as problem:
        print(f"{parser.prog}: {problem}", file=sys.stderr)  # noqa: T201  a command line answers its user
        return WRONG_COMMAND_LINE
    disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which nobody reads
    clocks = Clocks(monotonic=time.monotonic, now=lambda: datetime.now(UTC), process_began_s=process_began_s())
    app = create_app(settings, CollectorRegistry(), clocks)
    config = uvicorn.Config(
        app, host=given.host, port=given.port, log_level=given.log_level, access_log=False, ws="none"
    )
    DrainingServer(config, drain=app.state.serving.drain, drain_s=given.drain_seconds).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
