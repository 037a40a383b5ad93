"""A replica that carries less than it did: found within days, dated, and not made up out of noise."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks.made_up import BEGIN, capacity_of_changing, changing
from domain.capacity import CapacityBasis, CapacityModel
from domain.load import LoadHistory
from domain.observation import Observation, VersionSeen
from optimizer.capacity import CapacityOptions, CapacityStudy, in_usual_requests, reasons_of, studied, study_json
from tests.optimizer.cases import history

OPTIONS = CapacityOptions(resamples=4)
DAY = timedelta(days=1)


def study(seen: Observation) -> CapacityStudy:
    return studied(in_usual_requests(seen, OPTIONS), OPTIONS)


@pytest.mark.parametrize("after_days", [3, 10])
@pytest.mark.parametrize("slower", [1.25, 0.8], ids=["slower", "faster"])
def test_a_change_by_a_quarter_is_found_within_three_days(slower: float, after_days: int) -> None:
    for seed in range(3):
        drift = study(changing(seed, days=14 + after_days, slower=slower, from_day=14)).learned.drift
        assert drift is not None
        assert abs(drift.since - (BEGIN + 14 * DAY)) <= DAY
        assert drift.share == pytest.approx(1.0 / slower, abs=0.1)
        assert drift.chance is not None
        assert drift.chance <= OPTIONS.drift.chance


def test_stationary_noise_raises_hardly_any_alarm() -> None:
    """Of 60 histories of which no day is like the other, at most one is told to have changed."""
    alarms = [study(changing(seed, days=14, day_noise=0.08)).learned.drift for seed in range(60)]
    assert sum(drift is not None for drift in alarms) <= 1


def test_a_week_is_no_change() -> None:
    """Weekends that are a little slower come again."""
    seen = changing(1, days=28, day_noise=0.02)
    assert isinstance(seen.latency, LoadHistory)
    weekend = np.repeat(np.isin(np.arange(28) % 7, (5, 6)), 288)
    slow = history(seen.latency.values * np.where(weekend, 1.15, 1.0))
    assert study(replace(seen, latency=slow)).learned.drift is None


def test_after_a_change_only_what_was_seen_since_counts() -> None:
    found = study(changing(2, days=24, slower=1.3, from_day=14, day_noise=0.02)).capacity
    assert isinstance(found, CapacityModel)
    assert found.rate_rps == pytest.approx(capacity_of_changing(1.3), rel=0.06)
    assert found.rate_rps < 0.8 * capacity_of_changing()


def test_of_two_changes_the_newest_counts() -> None:
    seen, later = changing(3, days=30, slower=1.3, from_day=10), changing(3, days=30, slower=1.5, from_day=20)
    assert isinstance(seen.latency, LoadHistory)
    assert isinstance(later.latency, LoadHistory)
    both = np.where(np.arange(len(seen.latency)) < 20 * 288, seen.latency.values, 1.3 * later.latency.values)
    drift = study(replace(seen, latency=history(both))).learned.drift
    assert drift is not None
    assert abs(drift.since - (BEGIN + 20 * DAY)) <= DAY


def test_a_slower_version_is_told_by_its_name_within_hours() -> None:
    since = BEGIN + timedelta(days=10, hours=6)
    seen = changing(4, days=11, slower=1.25, from_day=10.25, day_noise=0.02)
    versions = (VersionSeen(name="2", since=BEGIN), VersionSeen(name="3", since=since))
    found = study(replace(seen, versions=versions))
    drift = found.learned.drift
    assert drift is not None
    assert (drift.version, drift.since, drift.chance) == ("3", since, None)
    told = {reason.code: reason.detail for reason in reasons_of(found, OPTIONS)}
    assert "since 2026-10-15 06:00 UTC (version 3) a replica carries" in told["capacity_fell"]
    assert "less than before" in told["capacity_fell"]


def test_a_version_that_changes_nothing_is_not_told() -> None:
    versions = (VersionSeen(name="2", since=BEGIN), VersionSeen(name="3", since=BEGIN + 8 * DAY))
    assert study(replace(changing(5, days=11, day_noise=0.02), versions=versions)).learned.drift is None


def test_a_change_is_told_beside_a_declared_capacity_too() -> None:
    seen = replace(changing(6, days=20, slower=1.3, from_day=14), declared_capacity_rps=16.0)
    found = study(seen)
    assert isinstance(found.capacity, CapacityModel)
    assert found.capacity.basis is CapacityBasis.DECLARED
    assert {"capacity_fell", "capacity_contradicted"} <= {reason.code for reason in reasons_of(found, OPTIONS)}


def test_the_evidence_dates_the_change_and_has_a_capacity_for_each_day() -> None:
    told: Any = study_json(study(changing(7, days=20, slower=1.3, from_day=14, day_noise=0.02)))
    since = datetime.fromisoformat(told["drift"]["since"])
    assert abs(since - (BEGIN + 14 * DAY)) <= DAY
    before, after = (
        np.median([day["rate_rps"] for day in told["by_day"]][part]) for part in (slice(14), slice(14, 20))
    )
    assert len(told["by_day"]) == 20
    assert after < 0.85 * before
    assert before == pytest.approx(capacity_of_changing(), rel=0.06)


def test_what_comes_later_changes_no_verdict() -> None:
    """Cut off or altered, the days after the observation are not seen."""
    whole = changing(8, days=24, slower=1.4, from_day=12)
    early = replace(whole, observed_at=BEGIN + 12 * DAY)
    assert isinstance(whole.latency, LoadHistory)
    cut = replace(early, latency=whole.latency.until(early.observed_at))
    found, again = study(early), study(cut)
    assert found.capacity == again.capacity
    assert found.learned.drift is None


def test_days_are_those_of_the_calendar_wherever_the_history_begins() -> None:
    """A cycle five minutes later sees the same days, so its verdict does not flicker."""
    seen = changing(9, days=20, slower=1.25, from_day=14)
    told = []
    for hours in (0, 5, 11):
        start = seen.observed_at - timedelta(days=19) + timedelta(hours=hours)
        parts = {name: getattr(seen, name).since(start) for name in ("load", "latency", "replicas")}
        found = study(replace(seen, **parts)).learned
        assert found.drift is not None
        assert {day.day.hour for day in found.by_day[1:]} == {0}
        told.append(found.drift.since)
    assert len(set(told)) == 1
