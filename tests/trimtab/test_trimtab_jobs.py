"""The scheduler: both jobs at the start and on their cron, late ones run, and a fault ends nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from domain.errors import StoreError
from tests.servers import wait_until
from trimtab.cron import longest_gap, trigger_of
from trimtab.jobs import MISFIRE_GRACE_S, Runs, in_turn, scheduler_of
from trimtab.settings import ScheduleSettings


def clock() -> datetime:
    return datetime.now(UTC)


class Remembers:
    """A run that remembers when it was called, and fails if told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.moments: list[datetime] = []
        self.fault = fault

    def __call__(self, *, now: datetime) -> None:
        self.moments.append(now)
        if self.fault:
            raise self.fault


@contextmanager
def running(cycle: Runs, report: Runs, proof: Runs | None = None) -> Iterator[BackgroundScheduler]:
    scheduler = scheduler_of(ScheduleSettings(), cycle=cycle, report=report, proof=proof or Remembers(), clock=clock)
    scheduler.start()
    try:
        yield scheduler
    finally:
        scheduler.shutdown(wait=False)


def test_cycle_and_report_run_at_the_start_with_the_time_handed_in_and_the_proof_does_not() -> None:
    cycle, report, proof = Remembers(), Remembers(), Remembers()
    with running(cycle, report, proof) as scheduler:
        wait_until(lambda: bool(cycle.moments and report.moments), within_s=10, what="both jobs")
        following = {job.id: job.next_run_time for job in scheduler.get_jobs()}
    assert all(moment.tzinfo for moment in cycle.moments)
    assert following["cycle"] - clock() <= timedelta(minutes=5)
    assert following["proof"].minute % 15 == 0
    assert (following["report"].hour, following["report"].minute) == (0, 10)


def test_late_and_piled_up_runs_are_settled_by_setting() -> None:
    with running(Remembers(), Remembers()) as scheduler:
        jobs = [(job.misfire_grace_time, job.coalesce, job.max_instances) for job in scheduler.get_jobs()]
    assert jobs == [(MISFIRE_GRACE_S, True, 1)] * 3


def test_a_fault_of_ours_is_one_line_in_the_log_and_the_job_stays(caplog: pytest.LogCaptureFixture) -> None:
    cycle = Remembers(StoreError("store sqlite:///x: disk full"))
    with running(cycle, Remembers()) as scheduler:
        wait_until(lambda: bool(cycle.moments), within_s=10, what="the cycle")
        wait_until(lambda: "disk full" in caplog.text, within_s=10, what="the log")
        assert scheduler.get_job("cycle") is not None
    assert "Traceback" not in caplog.text


def test_a_cycle_never_overlaps_itself() -> None:
    release, begun = threading.Event(), Remembers()

    def slow(*, now: datetime) -> None:
        begun(now=now)
        release.wait(5)

    with running(slow, Remembers()) as scheduler:
        wait_until(lambda: bool(begun.moments), within_s=10, what="the cycle")
        scheduler.modify_job("cycle", next_run_time=clock())
        scheduler.wakeup()
        release.wait(0.3)
        assert len(begun.moments) == 1
        release.set()


def test_the_report_comes_after_the_ledger_and_also_where_that_fails() -> None:
    ledger, report = Remembers(), Remembers()
    in_turn(ledger, report)(now=clock())
    assert ledger.moments == report.moments
    broken = Remembers(StoreError("store sqlite:///x: disk full"))
    with pytest.raises(StoreError):
        in_turn(broken, report)(now=clock())
    assert len(report.moments) == 2


@pytest.mark.parametrize(
    "weekdays,expected",
    [
        ("*", "Mon Tue Wed Thu Fri Sat Sun"),
        ("1-5", "Mon Tue Wed Thu Fri"),
        ("0", "Sun"),
        ("7", "Sun"),
        ("5-7", "Fri Sat Sun"),
        ("0,6", "Sat Sun"),
        ("*/2", "Tue Thu Sat Sun"),
        ("mon-fri", "Mon Tue Wed Thu Fri"),
    ],
)
def test_days_of_the_week_are_those_of_cron(weekdays: str, expected: str) -> None:
    trigger, day = trigger_of(f"0 6 * * {weekdays}", UTC), datetime(2026, 3, 2, tzinfo=UTC)
    due = [day + timedelta(days=n) for n in range(7)]
    assert (
        " ".join(each.strftime("%a") for each in due if trigger.get_next_fire_time(None, each).date() == each.date())
        == expected
    )


@pytest.mark.parametrize("cron", ["", "* * * *", "0 6 * * 8", "0 6 * * 5-1", "0 6 * * noday"])
def test_what_is_no_cron_expression_is_refused(cron: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  whatever the words
        trigger_of(cron, UTC)


def test_the_longest_time_between_runs_is_known() -> None:
    """An alert has to outlive it."""
    monday = datetime(2026, 3, 2, tzinfo=UTC)
    assert longest_gap("*/5 * * * *", UTC, monday) == timedelta(minutes=5)
    assert longest_gap("0 6 * * 1-5", UTC, monday) == timedelta(days=3)
