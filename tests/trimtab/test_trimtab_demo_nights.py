"""The moment that the demonstration looks back to: one whole night before now, and in force in that night's report."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from trimtab.demo.nights import evening_before, yesterday
from trimtab.settings import DecisionSettings

DAY = timedelta(days=1)
EPOCH, YEARS = datetime(2020, 1, 1, tzinfo=UTC), 20 * 365 * 86_400
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-8)), timezone(timedelta(hours=13))])


@given(second=st.integers(0, YEARS), zone=ZONES)
def test_exactly_one_whole_night_lies_between_whatever_the_hour(second: int, zone: timezone) -> None:
    at = (EPOCH + timedelta(seconds=second)).astimezone(zone)
    then, night = evening_before(at), yesterday(at)
    assert then.date() + DAY == night == at.astimezone(UTC).date() - DAY
    assert DAY < at - then < 3 * DAY
    stands = timedelta(hours=DecisionSettings().valid_hours)
    assert then + stands > datetime.combine(night, time(), UTC), "the night's report has it as proposed"
