"""When work is done: APScheduler calls the cycle, the night's work (ledger, then report) and the proof of rules, and nothing else.

Jobs live in memory and begin anew with each start; what was missed while the process was away is
caught up by looking at what the store lacks (`Bookkeeper.catch_up`, `Nightly.catch_up`), not by the scheduler.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from apscheduler.schedulers.background import BackgroundScheduler

from domain.errors import TrimtabError
from trimtab.cron import trigger_of
from trimtab.settings import ScheduleSettings

log = logging.getLogger(__name__)

MISFIRE_GRACE_S = 3600  # APScheduler's default of 1 s drops a job that a busy machine starts late


class Runs(Protocol):
    """What can be run at a moment."""

    def __call__(self, *, now: datetime) -> Any: ...


def scheduler_of(
    settings: ScheduleSettings, *, cycle: Runs, report: Runs, proof: Runs, clock: Callable[[], datetime]
) -> BackgroundScheduler:
    """A scheduler, not yet started: each job on its cron trigger; cycle and report also once at the start.

    Proving rules asks much of the source: it waits until the first cycle has had it for itself.
    """
    scheduler = BackgroundScheduler(
        timezone=settings.zone,
        job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": MISFIRE_GRACE_S},
    )
    at_once = {"next_run_time": clock()}
    jobs: tuple[tuple[str, str, Runs, dict[str, datetime]], ...] = (
        ("cycle", settings.cycle, cycle, at_once),
        ("report", settings.report, report, at_once),
        ("proof", settings.proof, proof, {}),
    )
    for name, cron, run, when in jobs:
        scheduler.add_job(_guarded, trigger_of(cron, settings.zone), args=(name, run, clock), id=name, **when)
    return scheduler


def in_turn(first: Runs, then: Runs) -> Runs:
    """Both at the same moment, one after the other; `then` is run whatever became of `first`."""

    def run(*, now: datetime) -> None:
        try:
            first(now=now)
        finally:
            then(now=now)

    return run


def _guarded(name: str, run: Runs, clock: Callable[[], datetime]) -> None:
    """One run; what we raise on purpose is logged in a line, and the next run comes as planned."""
    try:
        run(now=clock())
    except TrimtabError as fault:
        log.error("%s: %s", name, fault)  # noqa: TRY400  a known fault needs no trace
