"""A store to read from: what it holds, or after one cycle where it holds nothing."""

from __future__ import annotations

from trimtab.cli.options import say
from trimtab.records import Record, Status
from trimtab.wiring import Program


def filled(program: Program) -> tuple[Record, ...]:
    """The newest records; an empty store is filled by one cycle. Raises what kept the cycle from its source."""
    records = program.recommendations.newest()
    if records:
        return records
    say("the store is empty: running one cycle first")
    return _after_a_cycle(program)


def standing(program: Program) -> tuple[Record, ...]:
    """The newest records that have not expired, each other one named; where none stands, one cycle is run first."""
    now = program.clock()
    records = filled(program)
    if records and all(record.status(now) is Status.EXPIRED for record in records):
        say("every recommendation in the store has expired: running one cycle first")
        records = _after_a_cycle(program)
    valid = tuple(record for record in records if record.status(now) is not Status.EXPIRED)
    for record in records:
        if record not in valid:
            say(
                f"left out: {record.recommendation.workload}, which expired {record.recommendation.valid_until:%Y-%m-%d %H:%M} UTC"
            )
    return valid


def _after_a_cycle(program: Program) -> tuple[Record, ...]:
    outcome = program.cycle.run(now=program.clock())
    if "" in outcome.problems:
        raise outcome.problems[""]
    return outcome.records
