"""The running process: scheduler and HTTP server side by side, both ended by one signal."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from domain.errors import SettingsError
from trimtab.api.deps import Deps
from trimtab.app import create_app
from trimtab.budgetmetrics import BudgetCollector
from trimtab.jobs import in_turn, scheduler_of
from trimtab.selfmetrics import registry_of
from trimtab.settings import ApiSettings
from trimtab.wiring import Program

BACKLOG = 2048
NO_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def run_server(program: Program, *, on_ready: Callable[[str], None]) -> None:
    """Serve until a signal; `on_ready` gets the address. SettingsError if it cannot be listened on."""
    listener = _listen(program.settings.api)
    host, port = listener.getsockname()[:2]
    registry = registry_of(program.recommendations, program.journal, program.clock)
    registry.register(BudgetCollector(program.objectives, program.clock))
    app = create_app(
        Deps(
            recommendations=program.recommendations,
            journal=program.journal,
            proofs=program.prover.store,
            progress=program.objectives.progress,
            clock=program.clock,
            registry=registry,
        )
    )
    scheduler = scheduler_of(
        program.settings.schedule,
        cycle=program.cycle.run,
        report=in_turn(program.ledger.catch_up, program.nightly.catch_up),
        proof=program.prover.catch_up,
        clock=program.clock,
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    scheduler.start()
    try:
        on_ready(f"http://{host}:{port}")
        # uvicorn ends in order on a signal and then raises it again: both kinds are to end well here.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        scheduler.shutdown(wait=False)
        listener.close()
        program.database.close()


def _listen(api: ApiSettings) -> socket.socket:
    """Bound before anything is started, so that a port in use is told at once."""
    listener = socket.socket(socket.AF_INET6 if ":" in api.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((api.host, api.port))
        listener.listen(BACKLOG)  # who reads that we listen may connect at once
    except OSError as fault:
        listener.close()
        raise _unheard(api, fault) from None
    return listener


def _unheard(api: ApiSettings, fault: OSError) -> SettingsError:
    """Which of host and port it is that cannot be listened on."""
    why = fault.strerror or str(fault)
    if isinstance(fault, socket.gaierror) or fault.errno in NO_ADDRESS:
        return SettingsError(
            "api.host", api.host, f"give a --host that this machine has, such as 127.0.0.1, or 0.0.0.0 for all ({why})"
        )
    if fault.errno == errno.EACCES:
        return SettingsError("api.port", f"{api.host}:{api.port}", f"give a --port that you may use, over 1023 ({why})")
    return SettingsError("api.port", f"{api.host}:{api.port}", f"give a free --port, or 0 for any ({why})")
