"""For which of the recommendations of a workload a night is booked, and what each is measured against."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.unknown import Unknown
from domain.workload import ServingMode
from optimizer.guardrails import GuardrailOptions
from tests.fakes.recommendations import NOON, a_hold, a_record, an_act
from trimtab.records import Status
from trimtab.takenup import TakenRecord, chain

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOISE = GuardrailOptions()
FRIDAY = date(2026, 3, 6)


def accepted(at: datetime = NOON, *, applied: datetime | None = None, **facts: Any) -> TakenRecord:
    record = replace(
        a_record(an_act(at=at - HOUR, **facts)), decision=Status.ACCEPTED, decided_at=at, applied_at=applied
    )
    found = TakenRecord.of(record)
    assert found is not None
    return found


def applied(at: datetime = NOON, **facts: Any) -> TakenRecord:
    found = TakenRecord.of(replace(a_record(an_act(at=at - HOUR, **facts)), applied_at=at))
    assert found is not None
    return found


def on(*taken: TakenRecord, night: date = FRIDAY) -> list[datetime]:
    return [each.at for each in chain(taken, night, NOISE)]


def test_it_is_taken_up_when_it_is_accepted_or_else_applied() -> None:
    assert (accepted(applied=NOON + HOUR).at, accepted(applied=NOON + HOUR).how) == (NOON, "accepted")
    assert (applied().at, applied().how) == (NOON, "applied")
    assert TakenRecord.of(a_record()) is None
    assert TakenRecord.of(replace(a_record(a_hold()), decision=Status.ACCEPTED, decided_at=NOON)) is None


def test_the_first_night_is_the_first_whole_day_and_the_last_one_a_year_later() -> None:
    it = accepted()
    booked = [night for n in range(400) if on(it, night=(night := NOON.date() + n * DAY))]
    assert (booked[0], booked[-1]) == (NOON.date() + DAY, NOON.date() + 366 * DAY)


def test_what_was_applied_before_another_was_taken_up_goes_on_being_booked() -> None:
    first, second = accepted(applied=NOON + HOUR), accepted(NOON + 2 * DAY, mode=ServingMode.SHARED)
    assert on(second, first) == [NOON, NOON + 2 * DAY]
    assert on(first, second, night=NOON.date() + DAY) == [NOON], "the second was not there yet"


def test_what_was_never_applied_ends_when_another_takes_its_place() -> None:
    """Both promises would stand there, and one outcome."""
    later = accepted(NOON + 2 * DAY, mode=ServingMode.SHARED)
    assert on(accepted(), later) == [NOON + 2 * DAY]
    assert on(accepted(applied=NOON + 3 * DAY), later) == [NOON + 2 * DAY]
    assert on(accepted(), later, night=NOON.date() + DAY) == [NOON]


def test_following_on_is_no_new_beginning() -> None:
    """What ran before is still what ran before the first."""
    again = applied(NOON + 2 * DAY)
    assert on(accepted(applied=NOON), again) == [NOON]
    assert on(applied(), again) == [NOON]
    assert on(applied(), accepted(NOON + DAY, applied=NOON)) == [NOON], "to accept what runs already changes nothing"
    assert on(applied(), accepted(NOON + DAY)) == [NOON, NOON + DAY]


def test_another_machine_that_is_seen_to_run_is_a_new_beginning() -> None:
    assert on(accepted(applied=NOON), applied(NOON + DAY, mode=ServingMode.SHARED)) == [NOON, NOON + DAY]


@pytest.mark.parametrize("saving,booked", [(210.24, True), (-210.24, True), (20.0, False), (None, False)])
def test_what_nobody_accepted_is_booked_only_where_it_changes_something(saving: float | None, booked: bool) -> None:
    """Where what runs is what is proposed, nothing was taken up; 5 % of 561 USD a month are noise."""
    assert bool(on(applied(saving=saving))) is booked
    assert on(accepted(saving=saving)) == [NOON], "what a person accepted is booked in any case"


def test_a_saving_that_is_not_known_is_no_reason_to_leave_an_accepted_one_out() -> None:
    it = accepted(saving=None)
    assert isinstance(it.act.saving, Unknown)
    assert on(it) == [NOON]
